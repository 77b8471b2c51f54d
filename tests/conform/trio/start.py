# compare: exact shuffled
import trio
from twin import name, run


async def server(task_status=trio.TASK_STATUS_IGNORED):
    await trio.sleep(1)
    task_status.started(1234)
    print("server: reported")
    try:
        await trio.sleep(5)
        print("server: slept")
    except trio.Cancelled as error:
        print("server:", name(error), trio.current_time())
        raise


async def twice(task_status=trio.TASK_STATUS_IGNORED):
    task_status.started()
    try:
        task_status.started()
    except RuntimeError:
        print("twice: refused")


async def main():
    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as around:
            value = await nursery.start(server)
            print("main:", value, trio.current_time(), len(nursery.child_tasks))
            around.cancel()  # around the call, not around the nursery
        await trio.sleep(1)
    print("main:", trio.current_time())
    async with trio.open_nursery() as nursery:
        await nursery.start(server)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    print("main:", trio.current_time())
    await server()
    async with trio.open_nursery() as nursery:
        await nursery.start(twice)


run(main)
