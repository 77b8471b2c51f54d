# compare: exact shuffled
import trio
from twin import run


def report(lock):
    statistics = lock.statistics()
    owner = None if statistics.owner is None else statistics.owner.name
    print("main:", statistics.locked, owner, statistics.tasks_waiting)


async def worker(lock):
    async with lock:
        await trio.sleep(1)


async def main():
    lock = trio.Lock()
    report(lock)
    async with lock:
        print("main:", lock.statistics().owner is trio.lowlevel.current_task())
    report(lock)
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(worker, lock, name="worker")
        for _ in range(4):
            await trio.sleep(0.8)
            report(lock)


run(main)
