# compare: exact shuffled
# Where Weir is not asyncio: a task cancelled before it began runs to its first checkpoint, and a cancelled task stays
# so. Neither is shown here.
import asyncio
from twin import eio, name, now, outcome, run, step, wait_for_task


async def stubborn():
    try:
        await asyncio.sleep(9)
    except asyncio.CancelledError:
        print("stubborn: cancelled", now())
    return 7


async def fails():
    try:
        await asyncio.sleep(9)
    except asyncio.CancelledError:
        raise eio() from None


async def main():
    sibling = asyncio.create_task(step("sibling", 5, 1))
    task = asyncio.create_task(step("A", 9, 2))
    await asyncio.sleep(1)
    print("main:", task.cancel("no longer needed"), task.cancelling(), task.cancelled())
    print("main:", task.cancel("again"), task.cancelling())
    print("main:", await wait_for_task(task), task.done(), task.cancelled(), now())
    print("main:", task.cancel("late"))

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(1)
    task.cancel()
    print("main:", await wait_for_task(task), task.cancelled(), task.cancelling(), now())

    task = asyncio.create_task(fails())
    await asyncio.sleep(1)
    task.cancel()
    print("main:", await wait_for_task(task), task.cancelled(), outcome(task))

    # who waits is cancelled, shielded from what it waits for
    async def waits():
        try:
            await asyncio.shield(sibling)
        except asyncio.CancelledError as error:
            print("waits:", name(error), now())
            raise

    task = asyncio.create_task(waits())
    await asyncio.sleep(1)
    task.cancel()
    print("main:", await wait_for_task(task), outcome(sibling))
    print("main:", await sibling, now())


run(main)
