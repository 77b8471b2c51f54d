# compare: exact shuffled
# A task started with start() starts another so before it reports: each waits for the next.
import trio
from twin import run


async def link(depth, nursery, task_status=trio.TASK_STATUS_IGNORED):
    await trio.sleep(1)
    below = await nursery.start(link, depth - 1, nursery) if depth > 1 else 0
    print(f"{depth}: below {below}", trio.current_time())
    task_status.started(below + depth)
    try:
        await trio.sleep(10 * depth)
    finally:
        print(f"{depth}: ends", trio.current_time())


async def main():
    async with trio.open_nursery() as nursery:
        value = await nursery.start(link, 4, nursery)
        print("main:", value, len(nursery.child_tasks), trio.current_time())
        await trio.sleep(25)
        nursery.cancel_scope.cancel()
    print("main:", trio.current_time())
    # cut off in the middle: nobody has reported, so all of the chain is the caller's
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(2.5) as scope:
            await nursery.start(link, 4, nursery)
        print("main:", scope.cancelled_caught, len(nursery.child_tasks), trio.current_time())


run(main)
