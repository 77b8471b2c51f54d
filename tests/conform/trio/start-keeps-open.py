# compare: exact shuffled
# A start() under way keeps its nursery open, whoever called it, though the block and all children have ended.
import trio
from twin import eio, enoent, name, run


async def slow(task_status=trio.TASK_STATUS_IGNORED):
    await trio.sleep(3)
    task_status.started()
    await trio.sleep(1)
    print("slow: done", trio.current_time())


async def fails(task_status=trio.TASK_STATUS_IGNORED):
    await trio.sleep(3)
    raise eio()


async def caller(target, child):
    try:
        await target.start(child)
        print("caller: started", trio.current_time())
    except BaseException as error:
        print("caller:", name(error), trio.current_time())


async def owner(task_status=trio.TASK_STATUS_IGNORED):
    async with trio.open_nursery() as nursery:
        task_status.started(nursery)
        await trio.sleep(1)
    print("owner: closed", trio.current_time())


async def main():
    async with trio.open_nursery() as nursery:
        for child in slow, fails:
            target = await nursery.start(owner)
            await caller(target, child)
            await trio.sleep(2)
    # an error after the report is the nursery's, before it the caller's; both when it happens in both
    try:
        async with trio.open_nursery() as nursery:
            try:
                await nursery.start(fails)
            except BaseException as error:
                print("main:", name(error), nursery.cancel_scope.cancel_called)
                raise enoent()
    except BaseException as error:
        print("main:", name(error))


run(main)
