# compare: tasks shuffled
import trio
from twin import name, run


async def child():
    try:
        await trio.sleep(1)
        print("child: slept")
    except trio.Cancelled as error:
        print("child:", name(error))
        raise


async def starter(nursery):
    with trio.CancelScope() as scope:
        scope.cancel()
        nursery.start_soon(child)
        await trio.lowlevel.checkpoint()
    print("starter:", scope.cancelled_caught)


async def main():
    # not whoever started them
    async with trio.open_nursery() as nursery:
        nursery.start_soon(starter, nursery)
    # but those around the nursery, and no shield inside it
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            with trio.CancelScope(shield=True):
                nursery.start_soon(child)
                scope.cancel()
                await trio.lowlevel.checkpoint()
                print("main: shielded")
    print("main:", scope.cancelled_caught)


run(main)
