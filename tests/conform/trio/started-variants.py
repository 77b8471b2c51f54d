# compare: exact
# Reports that are never made, made twice, made too late, made where nobody has asked.
import trio
from twin import eio, enoent, name, run, say_group, yes_all


async def twice(task_status=trio.TASK_STATUS_IGNORED):
    task_status.started("first")
    try:
        task_status.started("second")
    except RuntimeError:
        print("twice: refused")
    await trio.sleep(1)


async def never(task_status=trio.TASK_STATUS_IGNORED):
    await trio.sleep(1)
    print("never: ends")


async def fails_cancelled(task_status=trio.TASK_STATUS_IGNORED):
    try:
        await trio.sleep_forever()
    except trio.Cancelled:
        raise eio()


async def late(task_status=trio.TASK_STATUS_IGNORED):
    with trio.CancelScope(shield=True):
        await trio.sleep(2)
        task_status.started("late")
        await trio.sleep(2)
        print("late: worked", trio.current_time())
    try:
        await trio.sleep(1)
    except trio.Cancelled as error:
        print("late:", name(error), trio.current_time())
        raise


async def late_without_checkpoint(task_status=trio.TASK_STATUS_IGNORED):
    task_status.started("at once")


async def reports_then_group(task_status=trio.TASK_STATUS_IGNORED):
    async with trio.open_nursery() as nursery:
        task_status.started()
        nursery.start_soon(fail_at_once, eio())
        nursery.start_soon(fail_at_once, enoent())


async def group_before(task_status=trio.TASK_STATUS_IGNORED):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail_at_once, eio())
        nursery.start_soon(fail_at_once, enoent())


async def fail_at_once(error):
    raise error


async def main():
    await twice()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(twice)
        print("main:", await nursery.start(twice))
    async with trio.open_nursery() as nursery:
        try:
            await nursery.start(never)
        except RuntimeError:
            print("main: never reported", trio.current_time())
    # In a cancelled scope.
    async with trio.open_nursery() as nursery:
        try:
            with trio.move_on_after(1) as scope:
                await nursery.start(fails_cancelled)
        except BaseException as error:
            print("main:", name(error), yes_all(scope, nursery.cancel_scope))
        with trio.move_on_after(1) as scope:
            await nursery.start(late)
        print("main: late", yes_all(scope, nursery.cancel_scope), len(nursery.child_tasks), trio.current_time())
        with trio.CancelScope() as scope:
            scope.cancel()
            print("main:", await nursery.start(late_without_checkpoint))
        print("main: too late", yes_all(scope, nursery.cancel_scope))
    # Groups before and after the report.
    async with trio.open_nursery() as nursery:
        try:
            await nursery.start(group_before)
        except BaseException as error:
            print("main: before", name(error), nursery.cancel_scope.cancel_called)
            say_group(error)
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(reports_then_group)
            await trio.sleep_forever()
    except BaseException as error:
        print("main: after", name(error), nursery.cancel_scope.cancel_called)
        say_group(error)


run(main)
