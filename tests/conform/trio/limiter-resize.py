# compare: exact shuffled
# More tokens let in who waits, at once; fewer let nobody in until enough have come back.
import trio
from twin import name, run


async def worker(who, start, until, limiter):
    await trio.sleep(start)
    async with limiter:
        print(f"{who}: in {trio.current_time():.1f}")
        await trio.sleep(until)
    print(f"{who}: out {trio.current_time():.1f}")


async def main():
    limiter = trio.CapacityLimiter(1)
    async with trio.open_nursery() as nursery:
        for number, who in enumerate("abcde"):
            nursery.start_soon(worker, who, number / 10, 2 + number * 0.3, limiter)
        await trio.sleep(1)
        for tokens in 3, 1, 0:
            try:
                limiter.total_tokens = tokens
            except Exception as error:
                print("main:", name(error))
            print("main:", limiter.total_tokens, limiter.borrowed_tokens, limiter.statistics().tasks_waiting)
            await trio.sleep(0.25)
    try:
        trio.CapacityLimiter(0)
    except Exception as error:
        print("main:", name(error))


run(main)
