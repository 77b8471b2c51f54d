# compare: exact shuffled
# As many may hold a token as there are; the others wait in line.
import trio
from twin import run


async def worker(who, start, hold, limiter):
    await trio.sleep(start)
    async with limiter:
        print(f"{who}: in {trio.current_time():.1f} {limiter.borrowed_tokens} {limiter.available_tokens}")
        await trio.sleep(hold)
    print(f"{who}: out {trio.current_time():.1f}")


def report(limiter):
    statistics = limiter.statistics()
    print("main:", statistics.borrowed_tokens, statistics.total_tokens, len(statistics.borrowers),
          statistics.tasks_waiting)


async def main():
    limiter = trio.CapacityLimiter(2)
    report(limiter)
    async with trio.open_nursery() as nursery:
        for number, who in enumerate("abcde"):
            nursery.start_soon(worker, who, number / 10, 1 + number * 0.37, limiter)
        await trio.sleep(0.75)
        report(limiter)
        with trio.move_on_after(0.1) as scope:
            await limiter.acquire()
        print("main:", scope.cancelled_caught)
        await trio.sleep(0.6)
        report(limiter)
        try:
            limiter.acquire_nowait()
        except trio.WouldBlock:
            print("main: none")
    report(limiter)


run(main)
