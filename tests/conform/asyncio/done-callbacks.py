# compare: exact
# asyncio calls callbacks a turn after a future is done, Weir at once: so main looks only after a sleep.
import asyncio
from twin import now, outcome, run, step


async def main():
    called = []

    def callback(which):
        def called_back(future):
            called.append(f"{which}:{outcome(future)}")
        return called_back

    task = asyncio.create_task(step("A", 1, 3))
    first, second, third = callback("first"), callback("second"), callback("third")
    task.add_done_callback(first)
    task.add_done_callback(second)
    task.add_done_callback(third)
    print("main:", task.remove_done_callback(second), task.remove_done_callback(second))
    await asyncio.sleep(2)
    print("main:", *called, now())
    task.add_done_callback(callback("late"))
    await asyncio.sleep(1)
    print("main:", *called, task.remove_done_callback(first))
    called.clear()

    task = asyncio.create_task(step("B", 9, 3))
    task.add_done_callback(callback("cancelled"))
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.sleep(1)
    print("main:", *called, now())


run(main)
