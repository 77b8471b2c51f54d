# compare: exact shuffled
# Starts in starts: each child is its caller's until it reports, also when that has not reported itself.
import trio
from twin import eio, name, run, yes_all


async def inner(who, fail, task_status=trio.TASK_STATUS_IGNORED):
    print(f"{who}: runs", trio.current_time())
    await trio.sleep(1)
    if fail:
        raise eio()
    task_status.started(who)
    try:
        await trio.sleep(3)
        print(f"{who}: ends", trio.current_time())
    except trio.Cancelled as error:
        print(f"{who}:", name(error), trio.current_time())
        raise


async def outer(target, fail, task_status=trio.TASK_STATUS_IGNORED):
    try:
        value = await target.start(inner, "inner", fail)
        print("outer: started", value, trio.current_time())
    except BaseException as error:
        print("outer:", name(error), trio.current_time())
        raise
    await trio.sleep(1)
    task_status.started("outer's")
    await trio.sleep(1)
    print("outer: ends", trio.current_time())


async def own_nursery(task_status=trio.TASK_STATUS_IGNORED):
    async with trio.open_nursery() as nursery:
        await nursery.start(inner, "below", False)
        task_status.started(nursery)
        print("own: reports", trio.current_time())
    print("own: closed", trio.current_time())


async def main():
    async with trio.open_nursery() as nursery:
        print("main:", await nursery.start(outer, nursery, False), trio.current_time())
    print("main: closed", trio.current_time())
    # The inner one fails before it reports: so does the outer one.
    async with trio.open_nursery() as nursery:
        try:
            await nursery.start(outer, nursery, True)
        except BaseException as error:
            print("main:", name(error), nursery.cancel_scope.cancel_called, trio.current_time())
    # Cancelled half-way: the inner one has moved, the outer one has not.
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(1.5) as scope:
            await nursery.start(outer, nursery, False)
        print("main:", yes_all(scope, nursery.cancel_scope), len(nursery.child_tasks), trio.current_time())
    print("main: closed", trio.current_time())
    # A nursery moves along with the task that it belongs to, and with what it has started.
    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            below = await nursery.start(own_nursery)
            scope.cancel()
            print("main:", len(below.child_tasks), len(nursery.child_tasks), trio.current_time())
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    print("main: closed", trio.current_time())


run(main)
