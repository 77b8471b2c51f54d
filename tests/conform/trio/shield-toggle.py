# compare: exact
# Shields put up and taken away, by the task inside and by others, while it waits and while it does not.
import trio
from twin import name, run, yes_all


async def toggle(scope, at, shield):
    await trio.sleep(at)
    scope.shield = shield
    print("toggle:", shield, trio.current_time())


async def attempt(who, seconds):
    try:
        await trio.sleep(seconds)
        print(f"{who}: slept", trio.current_time())
    except trio.Cancelled as error:
        print(f"{who}:", name(error), trio.current_time())
        raise


async def swallow(who):
    try:
        await attempt(who, 1)
    except trio.Cancelled:
        pass


async def clean_up_for_2():
    try:
        await attempt("cleaner", 9)
    except trio.Cancelled:
        with trio.CancelScope(shield=True):
            await trio.sleep(2)
        print("cleaner: cleaned up", trio.current_time())
        raise


async def main():
    # Put up after the cancellation was felt: nothing is felt any more.
    with trio.CancelScope() as outer:
        with trio.CancelScope() as inner:
            outer.cancel()
            await swallow("main")
            inner.shield = True
            await swallow("main")
            inner.shield = False
            await swallow("main")
            inner.shield = True
            await attempt("main", 1)
    print("main: put up", yes_all(outer, inner))
    # Taken away by another while we wait, two scopes further in.
    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as outer:
            with trio.CancelScope(shield=True) as middle:
                with trio.CancelScope() as inner:
                    outer.cancel()
                    nursery.start_soon(toggle, middle, 2, False)
                    await attempt("main", 5)
    print("main: taken away", yes_all(outer, middle, inner), trio.current_time())
    # Put up by another before it happens.
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(3) as outer:
            with trio.CancelScope() as inner:
                nursery.start_soon(toggle, inner, 2, True)
                await attempt("main", 5)
            await attempt("main", 5)
    print("main: put up in time", yes_all(outer, inner), trio.current_time())
    # A nursery's own scope as the shield: for all its children.
    with trio.move_on_after(1) as outer:
        async with trio.open_nursery() as nursery:
            nursery.cancel_scope.shield = True
            nursery.start_soon(attempt, "child", 3)
            await attempt("main", 2)
            nursery.cancel_scope.shield = False
    print("main: nursery", yes_all(outer, nursery.cancel_scope), trio.current_time())
    # Of two shields, one taken away is not enough.
    with trio.CancelScope() as outer:
        with trio.CancelScope(shield=True) as first:
            with trio.CancelScope(shield=True) as second:
                outer.cancel()
                first.shield = False
                await attempt("main", 1)
                first.shield = True
                second.shield = False
                await attempt("main", 1)
                first.shield = False
                await attempt("main", 1)
    print("main: two", yes_all(outer, first, second), trio.current_time())
    # Put up around a task that is already on its way out: its cancellation ends at the shield.
    with trio.CancelScope() as outer:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(clean_up_for_2)
            with trio.CancelScope(shield=True):
                await trio.sleep(1)
                outer.cancel()
                await trio.sleep(1)
                nursery.cancel_scope.shield = True
                await attempt("main", 3)
            await attempt("main", 1)
        await attempt("main", 1)
    print("main: on its way", yes_all(outer, nursery.cancel_scope), trio.current_time())


run(main)
