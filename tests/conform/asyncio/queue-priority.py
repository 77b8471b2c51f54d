# compare: exact shuffled
import asyncio
from twin import name, now, run


async def getter(queue):
    print("getter: got", *await queue.get(), now())


async def putter(queue):
    await queue.put((0, 9))
    print("putter: put", now())


async def main():
    queue = asyncio.PriorityQueue(6)
    for i, priority in enumerate((3, 1, 2, 1, 3, 0)):
        await queue.put((priority, i))
    try:
        queue.put_nowait((0, 0))
    except asyncio.QueueFull as error:
        print("main:", name(error))
    task = asyncio.create_task(putter(queue))
    await asyncio.sleep(1)
    print("main: got", *queue.get_nowait(), now())
    await task
    while not queue.empty():
        print("main: got", *await queue.get())
    # who waited takes the most urgent that came, not the first
    task = asyncio.create_task(getter(queue))
    await asyncio.sleep(1)
    for priority in (5, 4, 6):
        queue.put_nowait((priority, 0))
    await task
    print("main: got", *queue.get_nowait(), *queue.get_nowait(), queue.empty())


run(main)
