# compare: exact shuffled
# A child that fails is restarted, later each time, until it has failed too often; its siblings do not notice before.
import trio
from twin import eio, name, run


async def flaky(lives):
    lives[0] -= 1
    await trio.sleep(1)
    if lives[0] > 0:
        raise eio()
    print("flaky: runs", trio.current_time())
    await trio.sleep_forever()


async def supervise(lives, restarts):
    backoff = 1
    for attempt in range(restarts):
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(flaky, lives)
        except BaseExceptionGroup as group:
            _, rest = group.split(OSError)
            if rest:
                raise
            print("supervisor: failed", attempt, name(group), trio.current_time())
        await trio.sleep(backoff)
        backoff *= 2
    raise eio()


async def ticker():
    while True:
        await trio.sleep(4.75)
        print(f"ticker: {trio.current_time():.2f}")


async def main():
    for lives in 3, 10:
        try:
            with trio.move_on_after(12) as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(ticker)
                    nursery.start_soon(supervise, [lives], 3)
        except BaseException as error:
            print("main:", name(error))
        print("main:", scope.cancelled_caught, trio.current_time())


run(main)
