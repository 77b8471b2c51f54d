# compare: exact
import trio
from twin import run


async def main():
    for cancel_outer, cancel_inner in [(0, 1), (1, 0), (1, 1), (0, 0)]:
        with trio.CancelScope() as outer:
            with trio.CancelScope() as inner:
                if cancel_outer:
                    outer.cancel()
                if cancel_inner:
                    inner.cancel()
                await trio.lowlevel.checkpoint()
                print("inner goes on")
            print("outer goes on")
            await trio.lowlevel.checkpoint()
            print("and on")
        print(inner.cancel_called, inner.cancelled_caught, outer.cancel_called, outer.cancelled_caught)


run(main)
