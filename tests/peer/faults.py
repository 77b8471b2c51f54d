#!/usr/bin/env python3
"""Weir and the Linux kernel's TCP with the fault device between them: whatever it does to packets, and whatever of TCP
the kernel does without, every byte arrives, both ways."""
import socket
import threading

from world import KERNEL, STACK, Weir, check, client, main, run, serve_on_tap

BAD = "loss=0.02,reorder=0.03,duplicate=0.02,corrupt=0.01,delay=5ms,jitter=2ms,rate=50M,queue=100"


def echo_under(faults, *arguments):
    with serve_on_tap("--fault", faults) as weir:
        print(client(*arguments, timeout=240))
        weir.stop()


def each_controller_of_the_kernel():
    for seed, controller in enumerate(("reno", "cubic", "bbr"), 1):
        echo_under(f"{BAD},seed={seed}", "--connections", 4, "--bytes", 100000, "--congestion", controller)


def kernel_that_knows_less():
    for seed, (sack, timestamps, scaling) in enumerate(((0, 1, 1), (1, 0, 0)), 1):
        for name, value in (("sack", sack), ("timestamps", timestamps), ("window_scaling", scaling)):
            run("sysctl", f"net.ipv4.tcp_{name}={value}")
        echo_under(f"{BAD},seed={seed}", "--connections", 4, "--bytes", 50000)


def kernel_that_asks_for_ecn():
    run("sysctl", "net.ipv4.tcp_ecn=1")
    with serve_on_tap("--fault", f"{BAD},seed=1") as weir:
        with socket.create_connection((STACK, 7), timeout=30) as stream:
            options = stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[5]
            check(options & 8, "ECN was not agreed upon")  # TCPI_OPT_ECN
        print(client("--connections", 4, "--bytes", 50000))
        weir.stop()


def one_of_five_is_lost():
    echo_under("loss=0.2,delay=1ms,seed=3", "--connections", 4, "--bytes", 10000)


def half_closed_on_a_bad_wire():
    echo_under(f"{BAD},seed=1", "--connections", 4, "--bytes", 50000, "--mode", "half-close")


def one_transfer_at_one_percent():
    echo_under("loss=0.01,delay=10ms,seed=1", "--connections", 1, "--bytes", 1000000)


# ---- Weir asks, the kernel answers ----

def echo(stream):
    with stream:
        while data := stream.recv(1 << 16):
            stream.sendall(data)


def serve_kernels_echo(listener):
    while True:
        try:
            stream = listener.accept()[0]
        except OSError:
            return
        threading.Thread(target=echo, args=(stream,), daemon=True).start()


def weir_asks():
    with Weir("run", "echo-client", "--device", "tap:weir0", "--connect", f"{KERNEL}:7", "--streams", "8", "--bytes",
              "50000", "--fault", f"{BAD},seed=1") as weir, socket.socket() as listener:
        listener.setsockopt(socket.SOL_IP, 15, 1)  # IP_FREEBIND: the interface is yet to come
        listener.bind((KERNEL, 7))
        listener.listen(64)
        threading.Thread(target=serve_kernels_echo, args=(listener,), daemon=True).start()
        weir.wait_ready("replay with seed")
        run("ip", "address", "add", f"{KERNEL}/24", "dev", "weir0")
        weir.finish()
        print(weir.said())
        check("all 400000 bytes came back equal" in weir.said(), "no result")


TESTS = {test.__name__: test for test in (
    each_controller_of_the_kernel, kernel_that_knows_less, kernel_that_asks_for_ecn, one_of_five_is_lost,
    half_closed_on_a_bad_wire, one_transfer_at_one_percent, weir_asks)}

if __name__ == "__main__":
    main(TESTS)
