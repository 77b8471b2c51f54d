# compare: exact shuffled
# The first of several: what one writes in asyncio with wait and cancel.
import asyncio
from twin import eio, name, now, outcome, run, step


async def race(*calls):
    tasks = [asyncio.create_task(call) for call in calls]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:  # not those pending: they are a set, in any order
            task.cancel()
        await asyncio.wait(tasks)
    winner = tasks.index(done.pop())
    print("main:", winner, outcome(tasks[winner]), now())
    return tasks


async def main():
    tasks = await race(step("A", 3, 1), step("B", 1, 2), step("C", 2, 3))
    print("main:", *[outcome(task) for task in tasks])
    tasks = await race(step("D", 3, 1), step("E", 1, eio()))
    print("main:", *[outcome(task) for task in tasks])
    try:
        await asyncio.wait_for(race(step("F", 5, 1), step("G", 4, 2)), 2)
    except TimeoutError as error:
        print("main:", name(error), now())


run(main)
