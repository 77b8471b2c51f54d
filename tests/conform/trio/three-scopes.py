# compare: exact
# Of several cancelled scopes the outermost catches, and what lies outside goes on.
import trio
from twin import run, yes_all


async def nest(cancelled):
    with trio.CancelScope() as a:
        with trio.CancelScope() as b:
            with trio.CancelScope() as c:
                for bit, scope in enumerate([a, b, c]):
                    if cancelled & 1 << bit:
                        scope.cancel()
                await trio.lowlevel.checkpoint()
                print("in c")
            print("in b")
            await trio.lowlevel.checkpoint()
        print("in a")
        await trio.lowlevel.checkpoint()
    print(cancelled, yes_all(a, b, c))


async def main():
    for cancelled in range(8):
        await nest(cancelled)


run(main)
