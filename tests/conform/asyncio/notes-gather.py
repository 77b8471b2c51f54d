# compare: exact shuffled
# The notes' first program: three at once, and their results in the order in which they were given.
import asyncio
from twin import now, run, step


async def main():
    result = await asyncio.gather(step("A", 2, 1), step("B", 1, 2), step("C", 3, 3))
    print("main:", *result, now())
    print("main:", len(await asyncio.gather()))


run(main)
