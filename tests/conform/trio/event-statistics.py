# compare: exact shuffled
import trio
from twin import run


async def waiter(start, event):
    await trio.sleep(start)
    await event.wait()


async def main():
    event = trio.Event()
    print("main:", event.is_set(), event.statistics().tasks_waiting)
    async with trio.open_nursery() as nursery:
        for start in range(4):
            nursery.start_soon(waiter, start, event)
        for _ in range(4):
            await trio.sleep(0.7)
            print("main:", event.is_set(), event.statistics().tasks_waiting)
        with trio.move_on_after(0.5):
            await event.wait()
        print("main:", event.is_set(), event.statistics().tasks_waiting)
        event.set()
        event.set()
        print("main:", event.is_set(), event.statistics().tasks_waiting)
        await trio.sleep(1)
    print("main:", event.is_set(), event.statistics().tasks_waiting)


run(main)
