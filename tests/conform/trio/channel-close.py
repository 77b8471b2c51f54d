# compare: tasks shuffled
import trio
from twin import name, run


async def send_one(who, send):
    try:
        await send.send(7)
        print(f"{who}: sent")
    except Exception as error:
        print(f"{who}:", name(error), trio.current_time())


async def receive_one(who, receive):
    try:
        print(f"{who}: got", await receive.receive())
    except Exception as error:
        print(f"{who}:", name(error), trio.current_time())


async def main():
    # an end's close wakes who waits on it, not who waits on its clone
    send, receive = trio.open_memory_channel(0)
    clone = send.clone()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(send_one, "send", send)
        nursery.start_soon(send_one, "clone", clone)
        await trio.sleep(1)
        send.close()
        send.close()
        await trio.sleep(1)
        nursery.start_soon(receive_one, "receive", receive)
    await send_one("closed", send)
    # the last sender's close is the end, after the buffer drains
    clone.close()
    await receive_one("end", receive)
    send, receive = trio.open_memory_channel(5)
    send.send_nowait(1)
    send.send_nowait(2)
    send.close()
    for _ in range(3):
        await receive_one("drain", receive)
    # the last receiver's close breaks the senders
    send, receive = trio.open_memory_channel(0)
    clone = receive.clone()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(send_one, "first", send)
        nursery.start_soon(receive_one, "its", clone)
        await trio.sleep(1)
        nursery.start_soon(send_one, "second", send)
        await trio.sleep(1)
        receive.close()
        await trio.sleep(1)
        clone.close()
    await send_one("broken", send)
    # the last sender's close wakes all who receive
    send, receive = trio.open_memory_channel(0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive_one, "one", receive)
        nursery.start_soon(receive_one, "two", receive)
        await trio.sleep(1)
        send.close()
    for end in send, receive:
        try:
            end.close()
            end.clone()
        except Exception as error:
            print("clone:", name(error))


run(main)
