# compare: exact shuffled
import trio
from twin import eio, name, run


async def slow_to_end():
    try:
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True):
            await trio.sleep(4)
        print("child:", trio.current_time())


async def main():
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(slow_to_end)
            await trio.sleep(1)
            raise eio()
    except BaseException as error:
        print("main:", name(error), trio.current_time())


run(main)
