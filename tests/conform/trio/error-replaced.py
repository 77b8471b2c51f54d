# compare: exact
# An error came out of a nursery beside a Cancelled. Who deals with it deals with both: an error that comes later is on
# its own, and nothing is left for the scope to catch.
import trio
from twin import eio, enoent, leaves, name, run, yes_all


async def fail():
    raise eio()


async def beside(scope):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail)
        nursery.start_soon(trio.sleep_forever)
        scope.cancel()
        await trio.sleep_forever()


async def attempt(title, fn):
    try:
        with trio.CancelScope() as scope:
            await fn(scope)
    except BaseException as error:
        print(title, *sorted({name(leaf) for leaf in leaves(error)}), yes_all(scope))
    else:
        print(title, "ok", yes_all(scope))


async def swallowed(scope):
    try:
        await beside(scope)
    except BaseException:
        print("swallowed")


async def replaced(scope):
    try:
        await beside(scope)
    except BaseException:
        raise enoent() from None


async def later(scope):
    await swallowed(scope)
    raise enoent()


async def cancelled_later(scope):
    await swallowed(scope)
    await trio.lowlevel.checkpoint()


async def main():
    await attempt("beside", beside)
    await attempt("swallowed", swallowed)
    await attempt("replaced", replaced)
    await attempt("later", later)
    await attempt("cancelled later", cancelled_later)


run(main)
