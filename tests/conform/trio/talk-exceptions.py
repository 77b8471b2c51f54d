# compare: exact shuffled
# The talk, "exceptions just work properly, and never get thrown away": one comes out of the nursery and stops the rest;
# of several at once each is there.
import trio
from twin import eio, enoent, name, run, say_group


async def sleepy(seconds):
    print(f"{seconds}: Sleeping for {seconds} seconds")
    try:
        await trio.sleep(seconds)
        print(f"{seconds}: Slept {seconds} seconds")
    except trio.Cancelled:
        print(f"{seconds}: was woken", trio.current_time())
        raise


async def grumpy(seconds, error):
    await trio.sleep(seconds)
    raise error


async def at_once(seconds, error):
    try:
        await trio.sleep_forever()
    finally:
        raise error


async def main():
    try:
        async with trio.open_nursery() as nursery:
            for i in 1, 2, 3, 4:
                nursery.start_soon(sleepy, i)
            nursery.start_soon(grumpy, 2.5, eio())
        print("main: not reached")
    except BaseException as error:
        print("main:", name(error), trio.current_time())
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(grumpy, 1, eio())
            nursery.start_soon(at_once, 1, enoent())
    except BaseException as error:
        say_group(error)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sleepy, 1)
        nursery.start_soon(grumpy, 2, enoent())


run(main)
