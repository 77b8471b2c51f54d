# compare: exact shuffled
# A semaphore lets in as many as its value says, and then in the order in which they came.
import trio
from twin import run


async def worker(who, start, hold, semaphore):
    await trio.sleep(start)
    async with semaphore:
        print(f"{who}: in {trio.current_time():.1f} {semaphore.value}")
        await trio.sleep(hold)
    print(f"{who}: out {trio.current_time():.1f}")


async def main():
    semaphore = trio.Semaphore(2)
    print("main:", semaphore.value, semaphore.max_value)
    async with trio.open_nursery() as nursery:
        for number, who in enumerate("abcdef"):
            nursery.start_soon(worker, who, number / 10, 1 + number * 0.37, semaphore)
        await trio.sleep(0.75)
        print("main:", semaphore.value, semaphore.statistics().tasks_waiting)
        try:
            semaphore.acquire_nowait()
        except trio.WouldBlock:
            print("main: none")
        semaphore.release()  # one more than there were
        with trio.move_on_after(0.5) as scope:
            await semaphore.acquire()
        print("main:", scope.cancelled_caught, semaphore.statistics().tasks_waiting)
    print("main:", semaphore.value)


run(main)
