# compare: tasks shuffled
# Trio's reference, "Buffering in channels": who outruns whom, with room for none, for some and for all.
import math
import trio
from twin import run


async def producer(send, limit):
    async with send:
        for i in range(limit):
            await send.send(i)
            print("producer: sent", i, trio.current_time())
            await trio.sleep(1)


async def consumer(receive):
    async for i in receive:
        await trio.sleep(2.5)
        print("consumer: had", i, trio.current_time())


async def watcher(send):
    while True:
        await trio.sleep(3.25)
        s = send.statistics()
        print(f"watcher: {s.current_buffer_used} waiting {s.tasks_waiting_send} {s.tasks_waiting_receive}")


async def main():
    for capacity in 0, 2, math.inf:
        send, receive = trio.open_memory_channel(capacity)
        start = trio.current_time()
        async with trio.open_nursery() as watching:
            watching.start_soon(watcher, send)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(producer, send, 8)
                nursery.start_soon(consumer, receive)
            watching.cancel_scope.cancel()
        print("main:", trio.current_time() - start)
        receive.close()


run(main)
