# compare: exact shuffled
import asyncio
from twin import eio, now, outcome, run, step


async def wait(tasks, **how):
    done, pending = await asyncio.wait(tasks, **how)
    print("main:", len(done), len(pending), now(), *[outcome(task) for task in tasks])


async def main():
    tasks = [asyncio.create_task(task)
             for task in (step("A", 2, 1), step("B", 1, 2), step("C", 3, eio()), step("D", 5, 4), step("E", 9, 5))]
    await wait(tasks, timeout=0.5)
    await wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await wait(tasks[2:4], return_when=asyncio.FIRST_COMPLETED)
    await wait([tasks[0], tasks[1]], return_when=asyncio.FIRST_EXCEPTION)
    await wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    await wait(tasks[:4], return_when=asyncio.ALL_COMPLETED)
    tasks[4].cancel()
    await wait(tasks[4:], return_when=asyncio.FIRST_EXCEPTION)


run(main)
