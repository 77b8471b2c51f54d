# compare: exact shuffled
import trio
import trio.testing
from twin import run

TASKS, PIECES = 5, 8


async def worker(sequence, number):
    for i in range(PIECES):
        position = i * TASKS + number * (i % 4 + 1) % TASKS  # each row of pieces in another order
        async with sequence(position):
            print(f"pieces: {position} by {number}")
            if position % 3 == 0:
                await trio.sleep(1)
            print(f"pieces: {position} ends {trio.current_time()}")
    print(f"worker {number}: done")


async def all_pieces():
    sequence = trio.testing.Sequencer()
    async with trio.open_nursery() as nursery:
        for number in range(TASKS):
            nursery.start_soon(worker, sequence, number)


async def piece(title, sequence, position):
    try:
        async with sequence(position):
            print(f"{title}: runs")
    except RuntimeError:
        print(f"{title}: broken or taken")


async def broken():
    sequence = trio.testing.Sequencer()
    await piece("first", sequence, 0)
    await piece("again", sequence, 0)
    await piece("second", sequence, 1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(piece, "fourth", sequence, 3)
        nursery.start_soon(piece, "fifth", sequence, 4)
        await trio.testing.wait_all_tasks_blocked()
        await piece("fifth again", sequence, 4)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as inner:
                inner.start_soon(piece, "sixth", sequence, 5)
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
    await piece("third", sequence, 2)


async def main():
    await all_pieces()
    await broken()


run(main)
