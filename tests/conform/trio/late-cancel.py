# compare: exact
import trio
from twin import run


async def main():
    with trio.CancelScope() as scope:
        await trio.lowlevel.checkpoint()
        scope.cancel()
    print("after the last checkpoint", scope.cancel_called, scope.cancelled_caught)
    with trio.CancelScope() as scope:
        pass
    scope.cancel()
    print("after the end", scope.cancel_called, scope.cancelled_caught)
    await trio.lowlevel.checkpoint()
    async with trio.open_nursery() as nursery:
        nursery.cancel_scope.cancel()
    print("nursery", nursery.cancel_scope.cancel_called)


run(main)
