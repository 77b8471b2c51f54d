// Go: goroutines on one P. Join by a WaitGroup. GOMAXPROCS is set here; nothing is allocated in the loops but what
// goroutines need.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"unsafe"
)

const (
	operations = 100000
	switches   = 200000
	batch      = 64
	buffered   = 128
)

// Time of this process on its core, as for the others.
func now() float64 {
	var at syscall.Timespec
	const processCPU = 2
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, processCPU, uintptr(unsafe.Pointer(&at)), 0)
	return float64(at.Nano())
}

func yieldTwo() float64 {
	var all sync.WaitGroup
	all.Add(2)
	from := now()
	for i := 0; i < 2; i++ {
		go func() {
			for i := 0; i < operations; i++ {
				runtime.Gosched()
			}
			all.Done()
		}()
	}
	all.Wait()
	return (now() - from) / operations
}

func switchAmong(tasks int) func() float64 {
	return func() float64 {
		var all sync.WaitGroup
		stop := false
		turns := 2
		if tasks < switches/2 {
			turns = switches / tasks
		}
		all.Add(tasks - 1)
		for i := 1; i < tasks; i++ {
			go func() {
				for !stop {
					runtime.Gosched()
				}
				all.Done()
			}()
		}
		runtime.Gosched()
		from := now()
		for i := 0; i < turns; i++ {
			runtime.Gosched()
		}
		result := (now() - from) / float64(turns) / float64(tasks)
		stop = true
		all.Wait()
		return result
	}
}

func spawn(count int) func() float64 {
	return func() float64 {
		var all sync.WaitGroup
		rounds := operations / count
		from := now()
		for i := 0; i < rounds; i++ {
			all.Add(count)
			for k := 0; k < count; k++ {
				go all.Done()
			}
			all.Wait()
		}
		return (now() - from) / float64(rounds*count)
	}
}

func through(capacity int) func() float64 {
	return func() float64 {
		channel := make(chan uint64, capacity)
		from := now()
		go func() {
			for i := uint64(0); i < operations; i++ {
				channel <- i
			}
		}()
		for i := 0; i < operations; i++ {
			<-channel
		}
		return (now() - from) / operations
	}
}

var rows = []struct {
	name    string
	measure func() float64
}{
	{"yield-2", yieldTwo},
	{"switch-100", switchAmong(100)},
	{"switch-1000", switchAmong(1000)},
	{"spawn-1", spawn(1)},
	{"spawn-64", spawn(batch)},
	{"channel-0", through(0)},
	{"channel-128", through(buffered)},
	{"switch-100000", switchAmong(100000)},
}

func wanted(name string) bool {
	for _, argument := range os.Args[min(2, len(os.Args)):] {
		if argument == name {
			return true
		}
	}
	return len(os.Args) <= 2
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

func main() {
	runtime.GOMAXPROCS(1)
	rounds := 1
	if len(os.Args) > 1 {
		rounds, _ = strconv.Atoi(os.Args[1])
	}
	samples := map[string][]string{}
	for round := 0; round < rounds; round++ {
		for _, row := range rows {
			if !wanted(row.name) {
				continue
			}
			if round == 0 {
				row.measure() // warms up
			}
			samples[row.name] = append(samples[row.name], strconv.FormatFloat(row.measure(), 'f', 2, 64))
		}
	}
	var all []string
	for _, row := range rows {
		if wanted(row.name) {
			all = append(all, fmt.Sprintf("%q: [%s]", row.name, strings.Join(samples[row.name], ", ")))
		}
	}
	fmt.Printf("{%s}\n", strings.Join(all, ", "))
}
