# compare: tasks shuffled
import trio
from twin import run


async def waiter(number, event):
    await event.wait()
    print(f"{number}: woken", trio.current_time())


async def main():
    event = trio.Event()
    async with trio.open_nursery() as nursery:
        for number in range(3):
            nursery.start_soon(waiter, number, event)
        with trio.move_on_after(1) as scope:
            await event.wait()
        print("main:", scope.cancelled_caught, event.statistics().tasks_waiting)
        event.set()
        print("main:", event.is_set(), event.statistics().tasks_waiting)
        await event.wait()


run(main)
