# compare: exact shuffled
import asyncio
from twin import now, run


async def worker(queue):
    while True:
        seconds = await queue.get()
        await asyncio.sleep(seconds)
        queue.task_done()
        print("worker: done", seconds, now())


async def joiner(queue):
    await queue.join()
    print("joiner: joined", now())


async def main():
    queue = asyncio.Queue()
    await queue.join()
    try:
        queue.task_done()
    except ValueError:
        print("main: too often")
    for seconds in (1, 2, 3):
        queue.put_nowait(seconds)
    task = asyncio.create_task(worker(queue))
    other = asyncio.create_task(joiner(queue))
    await asyncio.sleep(4.5)
    queue.put_nowait(4)  # while they wait
    await other
    print("main:", queue.empty(), now())
    try:
        queue.task_done()
    except ValueError:
        print("main: too often")
    queue.put_nowait(1)  # a new round
    await queue.join()
    print("main: joined", now())
    task.cancel()


run(main)
