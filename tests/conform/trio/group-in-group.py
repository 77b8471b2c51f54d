# compare: exact
# A group of a child that had a nursery of its own hangs in its parent's, at any depth; a block that caught one does not
# stop another's.
import trio
from twin import eio, enoent, run, say_group, say_tree


async def fail(error):
    raise error


async def middle():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail, eio())
        nursery.start_soon(fail, enoent())


async def deep():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(middle)
        nursery.start_soon(fail, enoent())


async def catches():
    try:
        await middle()
    except BaseException as error:
        print("caught")
        say_tree(error)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail, eio())


async def gather(*children):
    try:
        async with trio.open_nursery() as nursery:
            for child in children:
                nursery.start_soon(*child)
    except BaseException as error:
        print("gathered")
        say_tree(error)


async def main():
    await gather((middle,))
    await gather((deep,), (fail, eio()), (middle,))
    await gather((catches,), (trio.sleep_forever,))
    # nested blocks of one task: the outer nursery's block failed with the inner one's group
    try:
        async with trio.open_nursery() as outer:
            outer.start_soon(trio.sleep_forever)
            async with trio.open_nursery() as inner:
                inner.start_soon(fail, enoent())
    except BaseException as error:
        print("nested")
        say_group(error)


run(main)
