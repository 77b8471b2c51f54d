# compare: exact shuffled
# The notes: three workers and a queue of work, join, and the workers cancelled. Which worker takes what depends on the
# order in which they run: only the queue's side is printed.
import asyncio
from twin import name, now, run


async def worker(queue, slept):
    while True:
        sleep_for = await queue.get()
        await asyncio.sleep(sleep_for)
        slept.append(sleep_for)
        queue.task_done()


async def main():
    queue, slept = asyncio.Queue(), []
    for i in range(20):
        queue.put_nowait(1 + i % 4)
    print("main:", queue.qsize(), queue.full(), queue.empty())
    tasks = [asyncio.create_task(worker(queue, slept)) for _ in range(3)]
    await queue.join()
    print("main: slept", sum(slept), "in parallel for", now())
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    print("main:", *[name(result) for result in results], now())


run(main)
