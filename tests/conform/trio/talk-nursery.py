# compare: exact shuffled
import trio
from twin import run


async def sleepy(seconds):
    print(f"{seconds}: Sleeping for {seconds} seconds")
    await trio.sleep(seconds)
    print(f"{seconds}: Slept {seconds} seconds")


async def main():
    async with trio.open_nursery() as nursery:
        for i in range(5):
            nursery.start_soon(sleepy, i)
        print("main: Started all tasks")
    print("main: All done")


run(main)
