# compare: exact shuffled
# The notes: results as they come. asyncio starts coroutines in a set's order, so here they are tasks beforehand.
import asyncio
from twin import eio, name, now, run, step


async def main():
    work = [asyncio.create_task(task) for task in (step("A", 2, 1), step("B", 1, 2), step("C", 3, eio()))]
    for task in asyncio.as_completed(work):
        try:
            print("main:", await task, now())
        except OSError as error:
            print("main:", name(error), now())
    work = [asyncio.create_task(task) for task in (step("D", 2, 4), step("E", 1, 5))]
    for task in asyncio.as_completed(work):
        print("main: first", await task, now())
        break
    for task in asyncio.as_completed(work, timeout=0.5):
        try:
            print("main: again", await task)
        except TimeoutError as error:
            print("main:", name(error), now())
    print("main:", await work[0], now())


run(main)
