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


async def in_step():
    send, receive = trio.testing.lockstep_stream_one_way_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tell, "sender", send.send_all, b"12345")
        for size in 2, 2, 2:
            await trio.sleep(1)
            print("receiver:", bytes(await receive.receive_some(size)).decode(), trio.current_time())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tell, "waiter", send.wait_send_all_might_not_block)
        await trio.testing.wait_all_tasks_blocked()
        await tell("busy", send.send_all, b"x")
        await tell("busy", send.wait_send_all_might_not_block)
        nursery.start_soon(tell, "receiver", receive.receive_some, 10)
        await trio.testing.wait_all_tasks_blocked()
        await tell("busy", receive.receive_some, 1)
        await tell("sender", send.send_all, b"x")
    await tell("sender", send.send_all, b"")


async def closed_sender():
    send, receive = trio.testing.lockstep_stream_one_way_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tell, "receiver", receive.receive_some, 1)
        await trio.testing.wait_all_tasks_blocked()
        await send.aclose()
    await tell("receiver", receive.receive_some, 1)
    await tell("sender", send.send_all, b"")
    await tell("sender", send.wait_send_all_might_not_block)
    send, receive = trio.testing.lockstep_stream_one_way_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tell, "sender", send.send_all, b"xy")
        await trio.testing.wait_all_tasks_blocked()
        send.close()


async def closed_receiver():
    send, receive = trio.testing.lockstep_stream_one_way_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tell, "sender", send.send_all, b"xy")
        await trio.testing.wait_all_tasks_blocked()
        await tell("receiver", receive.receive_some, 1)
        await receive.aclose()
    await tell("receiver", receive.receive_some, 1)
    await tell("sender", send.send_all, b"")
    await tell("sender", send.wait_send_all_might_not_block)
    send, receive = trio.testing.lockstep_stream_one_way_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tell, "waiter", send.wait_send_all_might_not_block)
        await trio.testing.wait_all_tasks_blocked()
        receive.close()


async def shout(title, stream, words):
    for word in words:
        await stream.send_all(word)
        print(f"{title}: sent {word.decode()}")
    await stream.send_eof()


async def listen(title, stream, size):
    async for data in stream_of(stream, size):
        print(f"{title}: got {bytes(data).decode()}")
    print(f"{title}: end")


async def stream_of(stream, size):
    while True:
        data = await stream.receive_some(size)
        if not data:
            return
        yield data


async def both_ways():
    left, right = trio.testing.lockstep_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(shout, "left", left, [b"one", b"two", b"three"])
        nursery.start_soon(shout, "right", right, [b"eins", b"zwei"])
        nursery.start_soon(listen, "left ear", left, 3)
        nursery.start_soon(listen, "right ear", right, 4)


async def main():
    await in_step()
    await closed_sender()
    await closed_receiver()
    await both_ways()


run(main)
