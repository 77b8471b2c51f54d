# compare: exact shuffled
# Somebody else reports: a child of the starting task, or a sibling that it has told.
import trio
from twin import name, run, yes_all


async def worker(task_status):
    await trio.sleep(1)
    task_status.started("worker's")
    print("worker: reported", trio.current_time())
    await trio.sleep(1)


async def parent(task_status=trio.TASK_STATUS_IGNORED):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker, task_status)
        try:
            await trio.sleep_forever()
        except trio.Cancelled as error:
            print("parent:", name(error), trio.current_time())
            raise


statuses = []


async def told(task_status=trio.TASK_STATUS_IGNORED):
    statuses.append(task_status)
    try:
        await trio.sleep_forever()
    except trio.Cancelled as error:
        print("told:", name(error), trio.current_time())
        raise


async def reporter():
    await trio.sleep(1)
    statuses.pop().started()
    print("reporter: reported", trio.current_time())


async def main():
    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            value = await nursery.start(parent)
            print("main:", value, len(nursery.child_tasks), trio.current_time())
            scope.cancel()
        await trio.sleep(2)
        nursery.cancel_scope.cancel()
    print("main: closed", yes_all(scope, nursery.cancel_scope), trio.current_time())
    async with trio.open_nursery() as outer:
        async with trio.open_nursery() as nursery:
            outer.start_soon(reporter)
            with trio.CancelScope(shield=True):
                nursery.cancel_scope.cancel()
                await nursery.start(told)
                print("main: started", trio.current_time())
        print("main: closed", yes_all(nursery.cancel_scope, outer.cancel_scope), trio.current_time())


run(main)
