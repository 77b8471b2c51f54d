# compare: exact
# Who releases a lock that others wait for cannot take it again before them.
import trio
from twin import run


async def greedy(who, lock):
    for turn in range(3):
        async with lock:
            print(f"{who}: {turn}")


async def main():
    lock = trio.Lock()
    await lock.acquire()
    async with trio.open_nursery() as nursery:
        for who in "abc":
            nursery.start_soon(greedy, who, lock)
        await trio.sleep(1)
        lock.release()
        try:
            lock.acquire_nowait()
        except trio.WouldBlock:
            print("main: its", lock.statistics().tasks_waiting)
        await lock.acquire()
        print("main: mine")
        lock.release()


run(main)
