# compare: exact shuffled
import trio
from twin import run


async def sleepy(seconds):
    print(f"Sleeping for {seconds} seconds")
    await trio.sleep(seconds)
    print(f"Slept {seconds} seconds")


async def main():
    with trio.move_on_after(3):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sleepy, 10)
    print("All done", trio.current_time())


run(main)
