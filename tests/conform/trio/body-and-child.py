# compare: exact
# The block fails, and children with it: all of it is in the group.
import trio
from twin import eio, enoent, name, run, leaves, yes_all


def say_sorted(error):
    print(*sorted(name(leaf) for leaf in leaves(error)))


async def fail_at(seconds, error):
    try:
        await trio.sleep(seconds)
    finally:
        raise error


async def main():
    # the child first, the block because of it
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail_at, 1, enoent())
            await fail_at(5, eio())
    except BaseException as error:
        say_sorted(error)
    # the block first, the child because of it
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail_at, 5, enoent())
            await fail_at(1, eio())
    except BaseException as error:
        say_sorted(error)
    # the block only, a timeout in it
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            with trio.fail_after(1):
                await trio.sleep_forever()
    except BaseException as error:
        say_sorted(error)
    # a timeout around both: what the block did not do, and what the child did
    try:
        with trio.fail_after(1) as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(fail_at, 5, enoent())
                await trio.sleep_forever()
    except BaseException as error:
        say_sorted(error)
    print(yes_all(scope, nursery.cancel_scope))
    # the block swallows what is raised, the child's error stays
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail_at, 1, enoent())
            try:
                await trio.sleep_forever()
            except trio.Cancelled:
                print("swallowed")
    except BaseException as error:
        say_sorted(error)


run(main)
