# compare: exact shuffled
# The forms that do not wait: with and without a buffer, with somebody waiting at the other end, closed and broken.
import trio
from twin import name, run


def put(send, message):
    try:
        send.send_nowait(message)
        print("main: sent", message)
    except Exception as error:
        print("main:", name(error))


def get(receive):
    try:
        print("main: got", receive.receive_nowait())
    except Exception as error:
        print("main:", name(error))


async def receive_one(receive):
    print("child: got", await receive.receive())


async def send_one(send):
    await send.send(8)
    print("child: sent")


async def main():
    for capacity in 0, 2:
        send, receive = trio.open_memory_channel(capacity)
        get(receive)
        for message in range(3):
            put(send, message)
        for _ in range(3):
            get(receive)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive_one, receive)
            await trio.sleep(1)
            put(send, 9)
            put(send, 10)
        get(receive)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send_one, send)
            await trio.sleep(1)
            get(receive)
        put(send, 11)
        send.close()
        put(send, 12)
        get(receive)
        get(receive)
        receive.close()
        get(receive)
    send, receive = trio.open_memory_channel(1)
    receive.close()
    put(send, 13)


run(main)
