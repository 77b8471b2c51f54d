# compare: tasks shuffled
# gather's first error. asyncio's gather leaves the others running; what cancels them is a TaskGroup, so that is the
# twin of failing fast (it cancels in the order of a set, which is any). Both say the same of who waits: the first error,
# at once.
import asyncio
from twin import eio, enoent, name, now, outcome, run, step


async def bare():
    tasks = [asyncio.create_task(task) for task in (step("A", 1, 1), step("B", 2, eio()))]
    try:
        await asyncio.gather(*tasks)
    except OSError as error:
        print("bare:", name(error), now(), *[outcome(task) for task in tasks])


async def group():
    tasks = []
    try:
        async with asyncio.TaskGroup() as group:
            for task in (step("C", 1, 3), step("D", 2, enoent()), step("E", 3, 5), step("F", 4, eio())):
                tasks.append(group.create_task(task))
    except BaseExceptionGroup as error:
        print("group:", name(error), len(error.exceptions), now(), *[outcome(task) for task in tasks])


async def main():
    await bare()
    await group()


run(main)
