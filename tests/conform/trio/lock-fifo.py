# compare: exact shuffled
# A lock is handed to those who wait in the order in which they came.
import trio
from twin import run


async def worker(who, start, hold, lock):
    await trio.sleep(start)
    async with lock:
        print(f"{who}: in {trio.current_time():.1f}")
        await trio.sleep(hold)
        print(f"{who}: out {trio.current_time():.1f}")


async def main():
    lock = trio.Lock()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker, "d", 0.4, 1, lock)
        nursery.start_soon(worker, "a", 0.1, 2, lock)
        nursery.start_soon(worker, "c", 0.3, 3, lock)
        nursery.start_soon(worker, "b", 0.2, 1, lock)
    print("main:", lock.locked())


run(main)
