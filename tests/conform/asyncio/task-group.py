# compare: tasks shuffled
# A TaskGroup is a nursery. (Of the body and the children, which hears first of the cancellation is not determined.)
import asyncio
from twin import eio, enoent, leaves, name, now, outcome, run, step


async def cleans_up():
    try:
        await asyncio.sleep(9)
    except asyncio.CancelledError:
        raise enoent() from None


async def main():
    async with asyncio.TaskGroup() as group:
        a = group.create_task(step("A", 1, 1))
        b = group.create_task(step("B", 2, 2))
    print("main:", a.result(), b.result(), now())

    try:
        async with asyncio.TaskGroup() as group:
            a = group.create_task(step("C", 1, eio()))
            b = group.create_task(step("D", 2, 2))
            c = group.create_task(cleans_up())
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError as error:
                print("main: body", name(error), now())
                raise
    except BaseExceptionGroup as error:
        print("main:", *[name(leaf) for leaf in leaves(error)], now())
    print("main:", outcome(a), outcome(b), outcome(c))

    # one of them cancelled alone is no error of the group
    async with asyncio.TaskGroup() as group:
        a = group.create_task(step("E", 3, 1))
        b = group.create_task(step("F", 2, 2))
        await asyncio.sleep(1)
        a.cancel()
    print("main:", outcome(a), outcome(b), now())


run(main)
