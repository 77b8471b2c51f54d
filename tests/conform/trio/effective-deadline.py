# compare: exact
# The deadline that counts: the earliest around, up to a shield.
import trio
from twin import run


def show(where):
    print(f"{where}: {trio.current_effective_deadline():g}")


async def child(where):
    show(where)
    with trio.move_on_at(7):
        show(where + " inside")


async def main():
    show("none")
    with trio.move_on_at(10) as outer:
        show("outer")
        with trio.move_on_at(20) as inner:
            show("later inside")
            inner.shield = True
            show("shielded")
            outer.deadline = 5
            show("outer moved")
            inner.deadline = 3
            show("inner moved")
            inner.shield = False
            inner.deadline = 30
            show("unshielded")
            async with trio.open_nursery() as nursery:
                nursery.cancel_scope.deadline = 4
                with trio.move_on_at(1):
                    nursery.start_soon(child, "child")
                show("nursery")
            outer.cancel()
            show("cancelled")
            inner.shield = True
            show("shielded again")
            inner.cancel()
            show("its own")
    show("none")
    with trio.move_on_at(0) as past:
        show("past")
        past.deadline = 50
        show("cancelled is cancelled")
    with trio.CancelScope() as scope:
        scope.deadline = 9
        show("set inside")
        scope.deadline = float("inf")
        show("taken away")
    await trio.sleep(0)


run(main)
