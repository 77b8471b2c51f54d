# compare: exact
import trio
from twin import eio, enoent, name, run, say_group


async def fail_at_once(error):
    raise error


async def fail_when_cancelled(error):
    try:
        await trio.sleep_forever()
    except trio.Cancelled:
        raise error


async def nested():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail_at_once, enoent())
        nursery.start_soon(fail_at_once, eio())


async def main():
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail_at_once, eio())
            nursery.start_soon(fail_at_once, enoent())
    except BaseException as error:
        print("two:", name(error))
        say_group(error)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(nested)
            nursery.start_soon(fail_when_cancelled, enoent())
    except BaseException as error:
        print("nested:", name(error))
        say_group(error)
    # An error beside a Cancelled: the scope catches the one, the other goes on.
    try:
        with trio.move_on_after(1) as outer:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(fail_when_cancelled, eio())
                nursery.start_soon(trio.sleep_forever)
    except BaseException as error:
        print("beside:", name(error), outer.cancelled_caught)
        say_group(error)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail_at_once, eio())


run(main)
