# compare: exact shuffled
import trio
from twin import eio, enoent, name, run, say_group


async def before(task_status=trio.TASK_STATUS_IGNORED):
    await trio.lowlevel.checkpoint()
    raise enoent()


async def never(task_status=trio.TASK_STATUS_IGNORED):
    await trio.lowlevel.checkpoint()


async def after(task_status=trio.TASK_STATUS_IGNORED):
    task_status.started()
    await trio.sleep(1)
    raise eio()


async def main():
    async with trio.open_nursery() as nursery:
        try:
            await nursery.start(before)
        except BaseException as error:
            print("before:", name(error), nursery.cancel_scope.cancel_called)
        try:
            await nursery.start(never)
        except RuntimeError:
            print("never: reported")
        await trio.lowlevel.checkpoint()
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(after)
            await trio.sleep_forever()
    except BaseException as error:
        print("after:", name(error), trio.current_time())
        say_group(error)


run(main)
