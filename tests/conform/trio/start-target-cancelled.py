# compare: tasks shuffled
# Until it reports, the starting child is none of its nursery's business: cancelling that does not touch it.
import trio
from twin import name, run


async def child(task_status=trio.TASK_STATUS_IGNORED):
    await trio.sleep(2)
    print("child: reports", trio.current_time())
    task_status.started("value")
    try:
        await trio.sleep(2)
    except trio.Cancelled as error:
        print("child:", name(error), trio.current_time())
        raise


async def stubborn(task_status=trio.TASK_STATUS_IGNORED):
    with trio.CancelScope(shield=True):
        await trio.sleep(1)
        task_status.started()
        await trio.sleep(1)
        print("stubborn: slept", trio.current_time())
    try:
        await trio.sleep(1)
    except trio.Cancelled as error:
        print("stubborn:", name(error), trio.current_time())
        raise


async def owner(task_status=trio.TASK_STATUS_IGNORED):
    async with trio.open_nursery() as nursery:
        task_status.started(nursery)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
        print("owner: cancels", trio.current_time())
    print("owner: closed", trio.current_time())


async def main():
    async with trio.open_nursery() as nursery:
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            for task in child, stubborn:
                print("main:", await nursery.start(task), trio.current_time())
    print("main: closed", trio.current_time())
    async with trio.open_nursery() as nursery:
        target = await nursery.start(owner)
        print("main:", await target.start(child), trio.current_time())
    print("main: done", trio.current_time())


run(main)
