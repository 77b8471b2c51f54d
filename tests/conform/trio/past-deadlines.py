# compare: exact
# A deadline already past cancels at once; moved later afterwards, it does not come back.
import trio
from twin import name, run, yes_all


async def attempt(fn, *args):
    try:
        await fn(*args)
    except trio.Cancelled as error:
        return error


async def main():
    await trio.sleep(10)
    with trio.CancelScope(deadline=3) as scope:
        print("opened", scope.cancel_called, name(await attempt(trio.lowlevel.checkpoint)))
    print(yes_all(scope))
    with trio.CancelScope(deadline=-5) as scope:
        pass
    print("no checkpoint", yes_all(scope))
    with trio.CancelScope() as scope:
        scope.deadline = trio.current_time()
        print("now", scope.cancel_called)
        scope.deadline = trio.current_time() + 100
        print("later", scope.cancel_called, name(await attempt(trio.sleep, 1)))
    print(yes_all(scope), trio.current_time())
    with trio.CancelScope(deadline=trio.current_time() + 1) as scope:
        scope.deadline = float("inf")
        await trio.sleep(2)
        scope.deadline = trio.current_time() + 1
        print("again", name(await attempt(trio.sleep, 5)), trio.current_time())
    print(yes_all(scope))
    # around a shield: not felt inside, felt after
    with trio.move_on_at(5) as outer:
        with trio.CancelScope(shield=True):
            await trio.sleep(1)
            print("shielded", trio.current_time())
        print("after", name(await attempt(trio.sleep, 1)), trio.current_time())
    print(yes_all(outer))


run(main)
