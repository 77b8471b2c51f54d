# compare: exact shuffled
import asyncio
from twin import name, now, run


async def getter(queue):
    print("getter: got", await queue.get(), now())


async def putter(queue):
    await queue.put(9)
    print("putter: put", now())


async def main():
    queue = asyncio.LifoQueue(3)
    for i in range(3):
        await queue.put(i)
    try:
        queue.put_nowait(3)
    except asyncio.QueueFull as error:
        print("main:", name(error))
    task = asyncio.create_task(putter(queue))
    await asyncio.sleep(1)
    print("main: got", queue.get_nowait(), now())
    await task
    print("main: got", *[await queue.get() for _ in range(3)], now())
    # who waited takes the last that came, not the first
    task = asyncio.create_task(getter(queue))
    await asyncio.sleep(1)
    for i in range(3):
        queue.put_nowait(10 + i)
    await task
    print("main: got", queue.get_nowait(), queue.get_nowait(), queue.empty())


run(main)
