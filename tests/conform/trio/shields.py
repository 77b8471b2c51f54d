# compare: exact
import trio
from twin import run


async def unshield(scope):
    await trio.sleep(3)
    scope.shield = False


async def main():
    with trio.move_on_after(1) as outer:
        with trio.CancelScope(shield=True) as inner:
            await trio.sleep(2)
            print("shielded", trio.current_time(), outer.cancel_called)
            inner.shield = False
            await trio.sleep(2)
            print("not reached")
    print(outer.cancelled_caught, inner.cancelled_caught, trio.current_time())
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(1) as outer:
            with trio.CancelScope(shield=True) as inner:
                nursery.start_soon(unshield, inner)
                await trio.sleep(10)
    print(outer.cancelled_caught, inner.cancelled_caught, trio.current_time())
    with trio.move_on_after(5) as outer:
        with trio.CancelScope(shield=True) as inner:
            outer.cancel()
            inner.cancel()
            await trio.sleep(10)
        print("its own", inner.cancelled_caught)
        await trio.lowlevel.checkpoint()
        print("not reached")
    print(outer.cancelled_caught, trio.current_time())


run(main)
