# compare: exact shuffled
# Who swallows a Cancelled goes on, to be cancelled at the next checkpoint again; who never comes to one is not.
import trio
from twin import name, run, yes_all


async def stubborn(limit):
    for count in range(limit):
        try:
            await trio.sleep(1)
            print("stubborn: slept", trio.current_time())
        except trio.Cancelled as error:
            print("stubborn:", name(error), count, trio.current_time())
    print("stubborn: ends")


async def busy():
    print("busy: begins")
    for _ in range(1000):
        pass
    print("busy: ends")
    return "value"


async def main():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stubborn, 5)
        await trio.sleep(2.5)
        nursery.cancel_scope.cancel()
    print("main: nursery", yes_all(nursery.cancel_scope), trio.current_time())
    with trio.CancelScope() as scope:
        scope.cancel()
        print("main:", await busy())
    print("main: never came to one", yes_all(scope))
    with trio.CancelScope() as scope:
        scope.cancel()
        await stubborn(2)
        print("main: goes on")
    print("main: swallowed", yes_all(scope))
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stubborn, 2)
            scope.cancel()
    print("main: by the only child", yes_all(scope, nursery.cancel_scope))


run(main)
