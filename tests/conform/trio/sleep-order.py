# compare: exact
# Sleepers wake in the order of their deadlines; of equal ones, who lay down first.
import trio
from twin import run


async def sleeper(number, seconds):
    await trio.sleep(seconds)
    print(number, "woke", trio.current_time())


async def sleeper_until(number, start, deadline):
    await trio.sleep_until(start)
    await trio.sleep_until(deadline)
    print(number, "woke", trio.current_time())


async def main():
    async with trio.open_nursery() as nursery:
        for number, seconds in enumerate([5, 3, 3, 0, 4, 1, 3, 0.5, 5, 0]):
            nursery.start_soon(sleeper, number, seconds)
    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        for number in range(6):
            nursery.start_soon(sleeper_until, number, start + 6 - number, start + 10)
        nursery.start_soon(sleeper_until, 6, start - 3, start + 9)
        nursery.start_soon(sleeper_until, 7, start + 12, start + 11)


run(main)
