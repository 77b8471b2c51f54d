# compare: exact shuffled
import trio
import trio.testing
from twin import run


async def waits(title, cushion, rounds):
    for i in range(rounds):
        await trio.testing.wait_all_tasks_blocked(cushion)
        print(f"{title}: {i}")
    print(f"{title}: {trio.current_time()}")


async def chain(title, first, second):
    await first.wait()
    print(f"{title}: woken")
    for _ in range(100):
        await trio.lowlevel.checkpoint()
    print(f"{title}: wakes the next")
    second.set()


async def main():
    # The longer cushion begins anew whenever something ran.
    async with trio.open_nursery() as nursery:
        nursery.start_soon(waits, "long", 0.02, 1)
        nursery.start_soon(waits, "short", 0.001, 5)
    print("main:", trio.current_time())

    # A chain of tasks that wake each other is not blocked until its end.
    events = [trio.Event() for _ in range(4)]
    async with trio.open_nursery() as nursery:
        for i in range(3):
            nursery.start_soon(chain, f"link {i}", events[i], events[i + 1])
        await trio.testing.wait_all_tasks_blocked()
        print("main: all links wait")
        events[0].set()
        await trio.testing.wait_all_tasks_blocked(0.001)
        print("main: last set", events[3].is_set())

    # Virtual time stands still while somebody waits for this, and moves on afterwards.
    with trio.move_on_after(1) as scope:
        await trio.testing.wait_all_tasks_blocked(0.002)
        print("main: not cancelled", scope.cancel_called, trio.current_time())
        await trio.sleep_forever()
    print("main: cancelled", scope.cancelled_caught, trio.current_time())

    # It can be cancelled, and others go on waiting.
    async with trio.open_nursery() as nursery:
        nursery.start_soon(waits, "patient", 0.01, 1)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as inner:
                inner.start_soon(waits, "hasty", 3600, 1)
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
        print("main: hasty is cancelled", scope.cancelled_caught)


run(main)
