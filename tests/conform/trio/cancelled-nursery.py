# compare: exact shuffled
import trio
from twin import name, run


async def child():
    print("child: runs")
    try:
        await trio.lowlevel.checkpoint()
    except trio.Cancelled as error:
        print("child:", name(error))
        raise


async def main():
    async with trio.open_nursery() as nursery:
        nursery.cancel_scope.cancel()
        nursery.start_soon(child)
        print("main: started")
    print("main: done")
    try:
        nursery.start_soon(child)
    except RuntimeError:
        print("main: closed")


run(main)
