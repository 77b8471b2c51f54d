# compare: exact shuffled
# Who is cancelled in wait() has the lock again before he is told, however long that takes.
import trio
from twin import run


async def waiter(who, condition, scope):
    with scope:
        async with condition:
            try:
                await condition.wait()
                print(f"{who}: notified {trio.current_time():.1f}")
            except trio.Cancelled:
                owner = condition.statistics().lock_statistics.owner
                print(f"{who}: cancelled {trio.current_time():.1f}", owner is trio.lowlevel.current_task())
                raise
    print(f"{who}:", scope.cancelled_caught)


async def main():
    condition = trio.Condition()
    scopes = [trio.CancelScope() for _ in range(3)]
    async with trio.open_nursery() as nursery:
        # while another holds the lock
        nursery.start_soon(waiter, "a", condition, scopes[0])
        await trio.sleep(1)
        await condition.acquire()
        scopes[0].cancel()
        await trio.sleep(1)
        print("main:", condition.statistics().tasks_waiting, condition.statistics().lock_statistics.tasks_waiting)
        condition.release()
        await trio.sleep(1)
        # notified, but another holds the lock
        nursery.start_soon(waiter, "b", condition, scopes[1])
        await trio.sleep(1)
        await condition.acquire()
        condition.notify()
        scopes[1].cancel()
        await trio.sleep(1)
        condition.release()
        await trio.sleep(1)
        # notified, and the lock handed over
        nursery.start_soon(waiter, "c", condition, scopes[2])
        await trio.sleep(1)
        await condition.acquire()
        condition.notify()
        condition.release()
        scopes[2].cancel()
    # cancelled before it waits
    with trio.CancelScope() as scope:
        async with condition:
            scope.cancel()
            await condition.wait()
    print("main:", scope.cancelled_caught, condition.locked())


run(main)
