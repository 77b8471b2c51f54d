# compare: exact shuffled
# A cancelled wait leaves the line; a lock that was handed over before the cancellation is had.
import trio
from twin import run


async def holder(lock, scopes):
    async with lock:
        await trio.sleep(2)
        scopes["gone"].cancel()
        await trio.sleep(1)
    scopes["got"].cancel()


async def waiter(who, start, lock, scopes):
    await trio.sleep(start)
    with trio.CancelScope() as scopes[who]:
        await lock.acquire()
        print(f"{who}: has it {trio.current_time():.1f}")
        lock.release()
    print(f"{who}:", scopes[who].cancel_called, scopes[who].cancelled_caught)


async def main():
    lock = trio.Lock()
    scopes = {}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(holder, lock, scopes)
        nursery.start_soon(waiter, "gone", 0.5, lock, scopes)
        nursery.start_soon(waiter, "got", 1, lock, scopes)
    # a free lock is not acquired in a cancelled scope
    with trio.CancelScope() as scope:
        scope.cancel()
        await lock.acquire()
    print("main:", scope.cancelled_caught, lock.locked())


run(main)
