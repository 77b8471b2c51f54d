# compare: tasks shuffled
# A rendezvous: the sender goes on when its message is taken.
import trio
from twin import run


async def sender(send):
    async with send:
        for i in range(3):
            await send.send(i)
            print("sender:", i, trio.current_time())


async def main():
    send, receive = trio.open_memory_channel(0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sender, send)
        while True:
            await trio.sleep(1)
            try:
                print("main:", await receive.receive(), trio.current_time())
            except trio.EndOfChannel:
                break
    print("main: end", trio.current_time())


run(main)
