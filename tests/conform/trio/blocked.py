# compare: exact shuffled
import trio
import trio.testing
from twin import run


async def busy(name):
    for _ in range(200):
        await trio.lowlevel.checkpoint()
    print(f"{name}: blocks")
    await trio.sleep(1 if name == "a" else 2)  # of equal deadlines Trio chooses at random
    print(f"{name}: slept", trio.current_time())


async def waits(name, cushion):
    await trio.testing.wait_all_tasks_blocked(cushion)
    print(f"waiters: {name}")


async def main():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(busy, "a")
        nursery.start_soon(busy, "b")
        await trio.testing.wait_all_tasks_blocked()
        print("main: all blocked", trio.current_time())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(waits, "long", 0.004)
        nursery.start_soon(waits, "short", 0.002)
        nursery.start_soon(waits, "none", 0)
    print("main:", trio.current_time())


run(main)
