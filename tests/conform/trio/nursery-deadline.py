# compare: tasks shuffled
# A nursery's own scope has a deadline like any other, and it may be moved from inside.
import trio
from twin import name, run


async def child(number, nursery):
    try:
        await trio.sleep(number)
        print(f"{number}: slept", trio.current_time())
        nursery.cancel_scope.deadline += 1
        await trio.sleep(number)
    finally:
        print(f"{number}: ends", trio.current_time())


async def main():
    async with trio.open_nursery() as nursery:
        nursery.cancel_scope.deadline = trio.current_time() + 2.5
        for number in 1, 2, 3, 9:
            nursery.start_soon(child, number, nursery)
        try:
            await trio.sleep(20)
        except trio.Cancelled as error:
            print("main:", name(error), trio.current_time())
            raise
    print("main:", nursery.cancel_scope.cancelled_caught, trio.current_time())


run(main)
