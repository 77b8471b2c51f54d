# compare: exact shuffled
# However the block ends, its end waits for each child, however long that takes to clean up.
import trio
from twin import eio, name, run


async def child(number):
    try:
        await trio.sleep(10 * number)
        print(f"{number}: done", trio.current_time())
    finally:
        with trio.CancelScope(shield=True):
            await trio.sleep(number)
        print(f"{number}: clean", trio.current_time())


async def leave(how):
    print("main: leaves by", how)
    try:
        async with trio.open_nursery() as nursery:
            for number in 1, 2, 3:
                nursery.start_soon(child, number)
            await trio.sleep(5)
            if how == "return":
                return
            if how == "cancel":
                nursery.cancel_scope.cancel()
            if how == "cancel and wait":
                nursery.cancel_scope.cancel()
                await trio.sleep_forever()
            if how == "raise":
                raise eio()
    finally:
        print("main: left", trio.current_time())


async def main():
    for how in "end", "return", "cancel", "cancel and wait", "raise":
        try:
            await leave(how)
        except BaseException as error:
            print("main:", name(error))


run(main)
