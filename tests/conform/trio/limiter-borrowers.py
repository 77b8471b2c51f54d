# compare: exact shuffled
# A borrower has one token at the most, and only a borrower brings one back.
import trio
from twin import name, run


def attempt(what, *args):
    try:
        what(*args)
        print("main: ok")
    except Exception as error:
        print("main:", name(error))


async def for_other(limiter, borrower):
    await limiter.acquire_on_behalf_of(borrower)
    print(f"other: has it {trio.current_time():.1f}")
    await trio.sleep(1)
    limiter.release_on_behalf_of(borrower)


async def main():
    limiter = trio.CapacityLimiter(2)
    a, b, c = "a", "b", "c"
    attempt(limiter.release)
    await limiter.acquire()
    attempt(limiter.acquire_nowait)
    try:
        await limiter.acquire()
    except RuntimeError:
        print("main: not twice")
    attempt(limiter.acquire_on_behalf_of_nowait, a)
    attempt(limiter.acquire_on_behalf_of_nowait, a)
    attempt(limiter.acquire_on_behalf_of_nowait, b)
    attempt(limiter.release_on_behalf_of, b)
    print("main:", a in limiter.statistics().borrowers, b in limiter.statistics().borrowers,
          trio.lowlevel.current_task() in limiter.statistics().borrowers)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(for_other, limiter, c)
        await trio.sleep(1)
        attempt(limiter.release_on_behalf_of, c)
        attempt(limiter.release_on_behalf_of, a)
        await trio.sleep(0.5)
        attempt(limiter.acquire_on_behalf_of_nowait, c)
    limiter.release()
    print("main:", limiter.borrowed_tokens)


run(main)
