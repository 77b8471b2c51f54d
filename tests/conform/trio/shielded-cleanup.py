# compare: exact shuffled
import trio
from twin import run


async def worker():
    try:
        await trio.sleep_forever()
    finally:
        with trio.move_on_after(30) as cleanup:
            cleanup.shield = True
            await trio.sleep(5)
            print("worker: cleaned up", trio.current_time())


async def main():
    with trio.move_on_after(2) as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(worker)
            await trio.sleep(3)
            print("not reached")
    print("main:", scope.cancelled_caught, trio.current_time())


run(main)
