# compare: exact shuffled
# A shield keeps out what comes from around it, not what is cancelled inside or is its own; the nursery waits for it.
import trio
from twin import name, run, yes_all


async def attempt(what, seconds):
    try:
        await trio.sleep(seconds)
        print(f"{what}: slept", trio.current_time())
    except trio.Cancelled as error:
        print(f"{what}:", name(error), trio.current_time())
        raise


async def child():
    with trio.CancelScope(shield=True) as outer:
        with trio.move_on_after(3) as inner:
            await attempt("child", 5)
        print("child:", yes_all(outer, inner))
        with trio.CancelScope(shield=True):
            outer.cancel()
            await attempt("child", 1)
        await attempt("child", 1)
    print("child:", yes_all(outer))
    await attempt("child", 1)


async def in_shielded_nursery(scopes):
    async with trio.open_nursery() as nursery:
        nursery.cancel_scope.shield = True
        scopes.append(nursery.cancel_scope)
        nursery.start_soon(attempt, "grandchild", 4)
        await attempt("block", 2)


async def main():
    with trio.move_on_after(1) as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)
    print("main:", yes_all(scope), trio.current_time())
    # a nursery's own shield covers its children
    scopes = []
    start = trio.current_time()
    with trio.move_on_after(1) as scope:
        await in_shielded_nursery(scopes)
        print("main: still here", scope.cancel_called, trio.current_time() - start)
        await attempt("main", 1)
    print("main:", yes_all(scope, *scopes))


run(main)
