# compare: exact shuffled
import asyncio
from twin import name, now, run


async def produce(queue):
    for i in range(5):
        await queue.put(i)
        print("producer: put", i, now())
        await asyncio.sleep(0.5)


async def consume(queue):
    for _ in range(5):
        await asyncio.sleep(2)
        print("consumer: got", await queue.get(), now())


async def main():
    queue = asyncio.Queue(2)
    for item in (7, 8, 9):
        try:
            queue.put_nowait(item)
        except asyncio.QueueFull as error:
            print("main:", name(error), queue.qsize(), queue.full())
    print("main:", queue.get_nowait(), queue.get_nowait())
    try:
        queue.get_nowait()
    except asyncio.QueueEmpty as error:
        print("main:", name(error), queue.qsize(), queue.empty())
    await asyncio.gather(produce(queue), consume(queue))
    print("main:", queue.qsize(), now())


run(main)
