# compare: exact shuffled
import trio
import trio.testing
from twin import run


async def worker(sequence, first, second):
    async with sequence(first):
        print("pieces:", first)
        await trio.lowlevel.checkpoint()
        print("pieces:", first, "ends")
    async with sequence(second):
        print("pieces:", second)


async def main():
    sequence = trio.testing.Sequencer()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker, sequence, 0, 4)
        nursery.start_soon(worker, sequence, 2, 5)
        nursery.start_soon(worker, sequence, 1, 3)


run(main)
