# compare: tasks shuffled
import trio
from twin import eio, enoent, name, run, say_group


async def sibling():
    try:
        await trio.sleep_forever()
    except trio.Cancelled as error:
        print("sibling:", name(error), trio.current_time())
        raise


async def fails(seconds, error):
    await trio.sleep(seconds)
    print("fails:", trio.current_time())
    raise error


async def main():
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sibling)
            nursery.start_soon(fails, 2, eio())
            nursery.start_soon(fails, 3, enoent())
            try:
                await trio.sleep(10)
            except trio.Cancelled as error:
                print("body:", name(error), trio.current_time())
                raise
    except BaseException as error:
        print("main:", name(error), trio.current_time(), nursery.cancel_scope.cancelled_caught)
        say_group(error)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fails, 1, eio())


run(main)
