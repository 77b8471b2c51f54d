# compare: exact shuffled
# A nursery stays open for as long as it has a child: who is its child may start more, though its block has ended.
import trio
from twin import name, run


async def generation(number, nursery):
    await trio.sleep(1)
    print(f"{number}: lives", trio.current_time(), len(nursery.child_tasks))
    if number < 4:
        nursery.start_soon(generation, number + 1, nursery)  # as its last act


async def heir():
    print("heir: runs")
    try:
        await trio.sleep(1)
    except trio.Cancelled as error:
        print("heir:", name(error))
        raise


async def testator(nursery):
    try:
        await trio.sleep_forever()
    finally:
        nursery.start_soon(heir)  # cancelled already: it runs to its first checkpoint
        print("testator: ends")


async def main():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(generation, 1, nursery)
        print("main: waits")
    print("main:", trio.current_time())
    with trio.move_on_after(1) as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(testator, nursery)
    print("main:", scope.cancelled_caught, trio.current_time())
    try:
        nursery.start_soon(heir)
    except RuntimeError:
        print("main: closed")


run(main)
