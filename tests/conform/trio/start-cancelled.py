# compare: exact shuffled
import trio
from twin import name, run


async def never(task_status=trio.TASK_STATUS_IGNORED):
    print("child: runs")
    try:
        await trio.sleep_forever()
    except trio.Cancelled as error:
        print("child:", name(error), trio.current_time())
        raise


async def too_late(task_status=trio.TASK_STATUS_IGNORED):
    try:
        await trio.sleep_forever()
    except trio.Cancelled:
        task_status.started()  # may carry a Cancelled: stays where a scope catches it
        raise


async def main():
    async with trio.open_nursery() as nursery:
        for child in never, too_late:
            with trio.move_on_after(1) as scope:
                await nursery.start(child)
                print("not reached")
            print("main:", scope.cancelled_caught, nursery.cancel_scope.cancel_called, trio.current_time())
        with trio.CancelScope() as scope:
            scope.cancel()
            await nursery.start(never)
            print("not reached")
        print("main:", scope.cancelled_caught)
        await trio.lowlevel.checkpoint()


run(main)
