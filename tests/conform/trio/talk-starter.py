# compare: exact shuffled
import trio
from twin import run


async def sleepy(seconds):
    print(f"{seconds}: Sleeping for {seconds} seconds")
    await trio.sleep(seconds)
    print(f"{seconds}: Slept {seconds} seconds")


async def starter(nursery):
    for i in range(7):
        nursery.start_soon(sleepy, i)
    print("starter: starter done")


async def main():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(starter, nursery)
    print("main: all done")


run(main)
