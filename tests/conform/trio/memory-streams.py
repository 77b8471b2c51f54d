# compare: exact shuffled
import trio
import trio.testing
from twin import name, run


async def tell(title, call, *args):
    try:
        result = await call(*args)
        said = bytes(result).decode() if isinstance(result, (bytes, bytearray)) else "ok"
    except Exception as error:
        said = name(error)
    print(f"{title}: {said}")


async def halves():
    send = trio.testing.MemorySendStream()
    await tell("halves", send.send_all, b"12345")
    print("halves:", send.get_data_nowait(2).decode())
    await tell("halves", send.get_data, 10)
    await tell("halves", send.send_all, b"")
    try:
        send.get_data_nowait()
    except trio.WouldBlock as error:
        print("halves:", name(error))
    await tell("halves", send.wait_send_all_might_not_block)
    await tell("halves", send.send_all, b"rest")
    await tell("halves", send.aclose)
    await tell("halves", send.send_all, b"more")
    await tell("halves", send.get_data, 10)
    await tell("halves", send.get_data, 10)
    receive = trio.testing.MemoryReceiveStream()
    receive.put_data(b"abc")
    await tell("halves", receive.receive_some, 2)
    receive.put_eof()
    await tell("halves", receive.receive_some, 2)
    await tell("halves", receive.receive_some, 2)
    await tell("halves", receive.receive_some, 2)
    await tell("halves", receive.aclose)
    await tell("halves", receive.receive_some, 2)


async def busy():
    send = trio.testing.MemorySendStream()
    receive = trio.testing.MemoryReceiveStream()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tell, "get", send.get_data, 10)
        await trio.testing.wait_all_tasks_blocked()
        await tell("get again", send.get_data, 10)
        nursery.start_soon(tell, "receive", receive.receive_some, 10)
        await trio.testing.wait_all_tasks_blocked()
        await tell("receive again", receive.receive_some, 10)
        send.close()
        receive.close()
    send, receive = trio.testing.memory_stream_one_way_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tell, "cancelled receive", receive.receive_some, 10)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    await tell("after it", send.send_all, b"kept")
    await tell("after it", receive.receive_some, 10)
    receive.close()
    await tell("broken", send.send_all, b"x")


async def echo(stream):
    while True:
        data = await stream.receive_some(3)
        print("echo: got", bytes(data).decode())
        if not data:
            break
        await stream.send_all(data)
    await stream.aclose()
    print("echo: ends")


async def pair():
    left, right = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(echo, right)
        for text in b"hello", b"you", b"":
            await left.send_all(text)
            print("client: sent")
        print("client: got", bytes(await left.receive_some(100)).decode())
        await trio.testing.wait_all_tasks_blocked()
        print("client: got", bytes(await left.receive_some(100)).decode())
        await left.send_eof()
        print("client: got", bytes(await left.receive_some(100)).decode())
    await tell("client", left.send_all, b"x")
    await tell("client", left.send_eof)
    await tell("client", left.aclose)
    await tell("client", left.receive_some, 1)


async def trickle():
    left, right = trio.testing.memory_stream_pair()

    async def pump():
        while trio.testing.memory_stream_pump(left.send_stream, right.receive_stream, max_bytes=1):
            await trio.sleep(1)

    async def sender():
        await left.send_all(b"12345")
        print("sender: sent", trio.current_time())
        await left.send_eof()

    left.send_stream.send_all_hook = pump
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sender)
        async for data in right:
            print("receiver:", data.decode(), trio.current_time())
        print("receiver: end", trio.current_time())


async def main():
    await halves()
    await busy()
    await pair()
    await trickle()


run(main)
