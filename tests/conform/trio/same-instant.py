# compare: exact
# What is due at one time happens in the order in which it was set; a task sees all of it when it runs.
import trio
from twin import run, yes_all


async def set_at(event, seconds):
    await trio.sleep(seconds)
    event.set()
    print("set", trio.current_time())


async def cancel_at(scope, seconds):
    await trio.sleep(seconds)
    scope.cancel()
    print("cancelled", trio.current_time())


async def main():
    # a deadline passes before the task that sets the event at the same time can run
    for deadline in 1, 2, 3:
        event = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(set_at, event, 2)
            with trio.move_on_after(deadline) as scope:
                await event.wait()
            print(deadline, yes_all(scope), event.is_set(), trio.current_time())
    # set, then cancelled, before the waiter runs: it was set first
    event = trio.Event()
    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            nursery.start_soon(set_at, event, 1)
            nursery.start_soon(cancel_at, scope, 1)
            await event.wait()
        print("set first", yes_all(scope))
    # cancelled, then set
    event = trio.Event()
    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            nursery.start_soon(cancel_at, scope, 1)
            nursery.start_soon(set_at, event, 1)
            await event.wait()
        print("cancelled first", yes_all(scope))
    # two sleeps that are over at one time, one cancels the other's scope: the sleep is a scope itself, the outer one wins
    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            nursery.start_soon(cancel_at, scope, 1)
            await trio.lowlevel.checkpoint()
            await trio.sleep(1)
        print("slept", yes_all(scope))


run(main)
