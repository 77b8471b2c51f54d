# compare: exact
import trio
from twin import name, run


async def main():
    with trio.move_on_after(5) as scope:
        await trio.sleep(10)
    print("moved on", scope.cancelled_caught, trio.current_time())
    with trio.move_on_after(5) as scope:
        await trio.sleep(1)
    print("in time", scope.cancel_called, scope.cancelled_caught, trio.current_time())
    with trio.move_on_after(1) as scope:
        await trio.sleep(1)
    print("together", scope.cancelled_caught, trio.current_time())
    try:
        with trio.fail_after(2):
            await trio.sleep_forever()
    except trio.TooSlowError as error:
        print("failed", name(error), trio.current_time())
    with trio.fail_after(2):
        await trio.sleep(1)
    with trio.move_on_at(3) as scope:
        print("past", scope.cancel_called)
        await trio.sleep(0)
        print("not reached")
    print("past", scope.cancelled_caught)
    with trio.move_on_after(0) as scope:
        await trio.lowlevel.checkpoint()
    print("none", scope.cancelled_caught)
    with trio.move_on_after(3) as outer:
        with trio.move_on_after(5) as inner:
            await trio.sleep_forever()
    print("outer first", outer.cancelled_caught, inner.cancelled_caught)
    with trio.move_on_after(5) as outer:
        with trio.move_on_after(3) as inner:
            await trio.sleep_forever()
        print("between", trio.current_effective_deadline() - trio.current_time())
    print("inner first", outer.cancelled_caught, inner.cancelled_caught)
    with trio.move_on_after(2) as outer:
        try:
            with trio.fail_after(2) as inner:
                await trio.sleep_forever()
        except trio.TooSlowError:
            print("not reached")
    print("same time", outer.cancelled_caught, inner.cancelled_caught, trio.current_time())


run(main)
