# compare: exact shuffled
# The notes' timeout, with its kin.
import asyncio
from twin import eio, name, now, run, step


async def stubborn():
    try:
        await asyncio.sleep(5)
    except asyncio.CancelledError:
        print("stubborn: cancelled", now())
    return 7


async def attempt(awaitable, timeout):
    try:
        print("main:", await asyncio.wait_for(awaitable, timeout), now())
    except Exception as error:
        print("main:", name(error), now())


async def main():
    await attempt(step("A", 3600, 1), 1)
    await attempt(step("B", 1, 2), 2)
    await attempt(step("C", 1, eio()), 2)
    await attempt(step("D", 1, 4), None)
    await attempt(stubborn(), 1)
    # from outside: the wait is cancelled, and what it waited for with it
    outer = asyncio.create_task(attempt(step("E", 9, 5), 5))
    await asyncio.sleep(2)
    outer.cancel()
    try:
        await outer
    except asyncio.CancelledError as error:
        print("main:", name(error), now())


run(main)
