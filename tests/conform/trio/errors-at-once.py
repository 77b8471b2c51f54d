# compare: exact
# Several children fail in one turn: each is in the group, the first one first; so is what a failure leads to.
import trio
from twin import eio, enoent, name, run, say_group


async def fail(error, checkpoints):
    for _ in range(checkpoints):
        await trio.lowlevel.cancel_shielded_checkpoint()
    raise error


async def fail_when_cancelled(error):
    try:
        await trio.sleep_forever()
    finally:
        raise error


async def gather(title, children):
    try:
        async with trio.open_nursery() as nursery:
            for child in children:
                nursery.start_soon(*child)
            print(title, "started")
    except BaseException as error:
        print(title, name(error))
        say_group(error)


async def main():
    await gather("at once", [(fail, eio(), 0), (fail, enoent(), 0), (fail, eio(), 0)])
    await gather("later", [(fail, eio(), 3), (fail, enoent(), 1), (fail, eio(), 1), (trio.sleep_forever,)])
    await gather("chain", [(fail_when_cancelled, enoent()), (fail, eio(), 0)])
    await gather("none", [(trio.sleep, 1), (trio.sleep, 2)])


run(main)
