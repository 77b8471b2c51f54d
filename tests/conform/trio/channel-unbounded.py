# compare: exact shuffled
# An unbounded channel never makes its sender wait.
import math

import trio
from twin import run


async def sender(send):
    async with send:
        for number in range(1000):
            await send.send(number)
        print(f"sender: done {trio.current_time():.1f}", send.statistics().current_buffer_used)


async def main():
    send, receive = trio.open_memory_channel(math.inf)
    print("main:", receive.statistics().max_buffer_size == math.inf)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sender, send)
        await trio.sleep(1)
        total = 0
        async for number in receive:
            total += number
            if number % 250 == 0:
                print(f"main: {number} {trio.current_time():.1f}", receive.statistics().current_buffer_used)
                await trio.sleep(1)
        print("main:", total)


run(main)
