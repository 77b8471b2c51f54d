# compare: tasks shuffled
import trio
from twin import run


async def sender(chan):
    async with chan:
        for i in range(3):
            await chan.send(i)
            print("sender: sent", i, trio.current_time())


async def receiver(chan):
    async with chan:
        async for msg in chan:
            print("receiver: received", msg, trio.current_time())


async def main():
    async with trio.open_nursery() as nursery:
        send, receive = trio.open_memory_channel(2)
        nursery.start_soon(sender, send)
        await trio.sleep(2)
        nursery.start_soon(receiver, receive)


run(main)
