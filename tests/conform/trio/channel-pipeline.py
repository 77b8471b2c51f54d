# compare: tasks shuffled
# Stages joined by channels: the end travels down, a receiver that leaves is heard of all the way up.
import trio
from twin import name, run


async def count(send, limit):
    async with send:
        try:
            for i in range(limit):
                await send.send(i)
            print("count: sent all")
        except trio.BrokenResourceError as error:
            print("count:", name(error))


async def square(receive, send):
    async with receive, send:
        try:
            async for i in receive:
                await send.send(i * i)
            print("square: end", trio.current_time())
        except trio.BrokenResourceError as error:
            print("square:", name(error), trio.current_time())


async def add(receive, limit):
    total = 0
    async with receive:
        async for i in receive:
            await trio.sleep(1)
            total += i
            limit -= 1
            if limit == 0:
                break
    print("add:", total, trio.current_time())


async def pipeline(messages, taken, capacity):
    async with trio.open_nursery() as nursery:
        send1, receive1 = trio.open_memory_channel(capacity)
        send2, receive2 = trio.open_memory_channel(capacity)
        nursery.start_soon(count, send1, messages)
        nursery.start_soon(square, receive1, send2)
        nursery.start_soon(add, receive2, taken)


async def main():
    for capacity in 0, 2:
        await pipeline(10, 1000, capacity)
        await pipeline(100, 5, capacity)


run(main)
