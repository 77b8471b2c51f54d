# compare: exact shuffled
import trio
from twin import run


async def move(scope, at, to):
    await trio.sleep(at)
    scope.deadline = to


async def main():
    for at, to in [(5, 20), (5, 7), (5, 1), (5, float("inf"))]:
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            with trio.move_on_after(10) as scope:
                nursery.start_soon(move, scope, at, began + to)
                await trio.sleep(100)
        print(scope.cancelled_caught, trio.current_time() - began)


run(main)
