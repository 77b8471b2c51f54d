# compare: exact
# Cancelled, but after the last checkpoint: by oneself, by another, by time, around a nursery.
import trio
from twin import name, run, yes_all


async def cancel_at(scope, at):
    await trio.sleep_until(at)
    scope.cancel()
    print("canceller: at", at)


async def cancel_last(scope):
    await trio.sleep(1)
    scope.cancel()


async def main():
    # The deadline passes while the last sleep ends.
    with trio.move_on_after(1) as scope:
        await trio.sleep(1)
        print("main: not reached?", trio.current_time())
    print("same instant", yes_all(scope))
    # Asked for in the block's last step, and then another checkpoint outside.
    with trio.CancelScope() as outer:
        with trio.CancelScope() as inner:
            await trio.sleep(1)
            inner.cancel()
        await trio.lowlevel.checkpoint()
        print("main: goes on", yes_all(inner))
        outer.cancel()
    print("last step", yes_all(outer, inner))
    # By a child that ends last: nothing is left to cancel.
    async with trio.open_nursery() as nursery:
        nursery.start_soon(cancel_last, nursery.cancel_scope)
    print("by the last child", yes_all(nursery.cancel_scope))
    # By a child, while the block is past its last checkpoint and only waits for children, who end well.
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancel_last, scope)
    print("while closing", yes_all(scope, nursery.cancel_scope))
    # While it only waits for one that sleeps behind a shield.
    async def shielded():
        with trio.CancelScope(shield=True):
            await trio.sleep(3)
        print("shielded:", trio.current_time())

    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shielded)
            nursery.start_soon(cancel_at, scope, trio.current_time() + 1)
    print("behind a shield", yes_all(scope, nursery.cancel_scope), trio.current_time())
    # A time limit that was met, in the end: too slow, but nobody noticed.
    with trio.fail_after(2) as scope:
        with trio.CancelScope(shield=True):
            await trio.sleep(3)
    print("met in a shield", yes_all(scope), trio.current_time())
    try:
        with trio.fail_after(2) as scope:
            with trio.CancelScope(shield=True):
                await trio.sleep(3)
            await trio.lowlevel.checkpoint()
    except trio.TooSlowError as error:
        print("noticed", name(error), yes_all(scope), trio.current_time())


run(main)
