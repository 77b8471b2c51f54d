# compare: exact
# Errors while being cancelled: each goes on, the cancellation beside it ends at its scope.
import trio
from twin import eio, enoent, name, run, say_group, yes_all


async def fail_when_cancelled(error):
    try:
        await trio.sleep_forever()
    except trio.Cancelled:
        raise error


async def fail_slowly_when_cancelled(error):
    try:
        await trio.sleep_forever()
    except trio.Cancelled:
        with trio.CancelScope(shield=True):
            await trio.sleep(1)
        raise error


async def nested(error):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail_when_cancelled, error)
        await trio.sleep_forever()


async def main():
    # In the block itself.
    try:
        with trio.move_on_after(1) as scope:
            await fail_when_cancelled(eio())
    except OSError as error:
        print("block:", name(error), yes_all(scope), trio.current_time())
    # In a child, when the block is cancelled only.
    try:
        with trio.move_on_after(1) as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(fail_when_cancelled, eio())
                await trio.sleep_forever()
    except BaseException as error:
        print("child:", name(error), yes_all(scope, nursery.cancel_scope))
        say_group(error)
    # In all, at different times, and one in a nursery of its own.
    try:
        with trio.move_on_after(1) as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(fail_slowly_when_cancelled, eio())
                nursery.start_soon(fail_when_cancelled, enoent())
                nursery.start_soon(nested, eio())
                await fail_when_cancelled(enoent())
    except BaseException as error:
        print("all:", name(error), yes_all(scope, nursery.cancel_scope), trio.current_time())
    # No Cancelled anywhere: nothing is caught.
    try:
        with trio.move_on_after(1) as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(fail_when_cancelled, eio())
    except BaseException as error:
        print("only:", name(error), yes_all(scope, nursery.cancel_scope))
    # Too slow, and an error beside it: the error wins.
    try:
        with trio.fail_after(1) as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(fail_when_cancelled, eio())
                nursery.start_soon(trio.sleep_forever)
    except BaseException as error:
        print("too slow:", name(error), yes_all(scope, nursery.cancel_scope))
    # A failed child cancels; what the others then do with it.
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail_slowly_when_cancelled, enoent())
            nursery.start_soon(nested, eio())
            nursery.start_soon(trio.sleep_forever)
            await trio.sleep(1)
            raise eio()
    except BaseException as error:
        print("failed:", name(error), yes_all(nursery.cancel_scope), trio.current_time())


run(main)
