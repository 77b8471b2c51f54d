# compare: tasks shuffled
# Trio's reference, "Managing multiple producers and/or multiple consumers"; who gets which message is not determined.
import trio
from twin import run

received = []


async def producer(name, send):
    async with send:
        for i in range(3):
            await send.send(f"{i} from producer {name}")
            await trio.sleep(1)
    print(f"{name}: done")


async def consumer(name, receive):
    async with receive:
        async for value in receive:
            received.append(value)
            await trio.sleep(0.5)
    print(f"{name}: done")


async def main():
    async with trio.open_nursery() as nursery:
        send, receive = trio.open_memory_channel(0)
        async with send, receive:
            nursery.start_soon(producer, "A", send.clone())
            nursery.start_soon(producer, "B", send.clone())
            nursery.start_soon(consumer, "X", receive.clone())
            nursery.start_soon(consumer, "Y", receive.clone())
    for value in sorted(received):
        print("main:", value)


run(main)
