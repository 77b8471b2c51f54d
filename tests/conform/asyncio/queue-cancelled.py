# compare: exact shuffled
# A cancelled getter or putter takes or leaves nothing, and those behind it are served.
import asyncio
from twin import name, now, run


async def get(who, queue):
    try:
        print(f"{who}: got", await queue.get(), now())
    except asyncio.CancelledError as error:
        print(f"{who}:", name(error), now())
        raise


async def put(who, queue, item):
    try:
        await queue.put(item)
        print(f"{who}: put", now())
    except asyncio.CancelledError as error:
        print(f"{who}:", name(error), now())
        raise


async def main():
    queue = asyncio.Queue(1)
    a = asyncio.create_task(get("a", queue))
    await asyncio.sleep(1)
    b = asyncio.create_task(get("b", queue))
    await asyncio.sleep(1)
    a.cancel()
    await asyncio.sleep(1)
    queue.put_nowait(1)
    await b

    queue.put_nowait(2)
    c = asyncio.create_task(put("c", queue, 3))
    await asyncio.sleep(1)
    d = asyncio.create_task(put("d", queue, 4))
    await asyncio.sleep(1)
    c.cancel()
    await asyncio.sleep(1)
    print("main: got", queue.get_nowait(), now())
    await d
    print("main: got", queue.get_nowait(), queue.empty(), c.cancelled())


run(main)
