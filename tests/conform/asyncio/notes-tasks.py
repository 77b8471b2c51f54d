# compare: exact shuffled
# The notes: tasks made beforehand, awaited one after the other; an event between two tasks; names; sleep's result.
import asyncio
from twin import now, run, step


async def listener(event):
    print("listener: waiting for event")
    await event.wait()
    print("listener: event processed", now())


async def main():
    t1 = asyncio.create_task(step("A", 2, 1))
    t2 = asyncio.create_task(step("B", 1, 2))
    t3 = asyncio.create_task(step("C", 3, 3))
    t2.set_name("renamed")
    print("main:", t2.get_name(), t1.done(), t1.cancelled(), t1.cancelling())
    print("main:", await t1, await t2, await t3, now())
    print("main:", t1.result(), t2.exception() is None, t3.done(), t3.cancelled())

    event = asyncio.Event()
    handler = asyncio.create_task(listener(event))
    await asyncio.sleep(1)
    event.set()
    await handler
    print("main: done", now())


run(main)
