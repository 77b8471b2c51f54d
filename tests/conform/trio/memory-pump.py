# compare: exact shuffled
import trio
import trio.testing
from twin import name, run


def pump(send, receive, max_bytes=None):
    try:
        print("pump:", trio.testing.memory_stream_pump(send, receive, max_bytes=max_bytes))
    except Exception as error:
        print("pump:", name(error))


async def receive_all(stream):
    async for data in stream:
        print(f"receiver: got {bytes(data).decode()} {trio.current_time()}")
    print(f"receiver: end {trio.current_time()}")


async def by_hand():
    send, receive = trio.testing.MemorySendStream(), trio.testing.MemoryReceiveStream()
    pump(send, receive)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive_all, receive)
        await send.send_all(b"abcdef")
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(3):
            pump(send, receive, 1)
            await trio.sleep(1)
        pump(send, receive)
        pump(send, receive)
        await trio.sleep(1)
        await send.send_all(b"gh")
        await send.aclose()
        pump(send, receive)
        pump(send, receive)
        pump(send, receive)


async def broken():
    send, receive = trio.testing.MemorySendStream(), trio.testing.MemoryReceiveStream()
    await send.send_all(b"abc")
    await receive.aclose()
    pump(send, receive, 1)
    pump(send, receive)
    pump(send, receive)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(send.get_data, 1)
        await trio.testing.wait_all_tasks_blocked()
        pump(send, receive)
        nursery.cancel_scope.cancel()
    send.close()
    pump(send, receive)


async def hooked():
    send, receive = trio.testing.memory_stream_one_way_pair()

    async def slow_pump():
        print("hook: begins")
        await trio.sleep(2)
        pump(send, receive)

    async def not_yet():
        print("hook: not yet")
        await trio.sleep(1)

    async def before_receiving():
        print("hook: receives")
        await trio.sleep(0)

    def close_hook():
        print("hook: closes")

    send.send_all_hook = slow_pump
    send.wait_send_all_might_not_block_hook = not_yet
    send.close_hook = close_hook
    receive.receive_some_hook = before_receiving
    receive.close_hook = close_hook
    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive_all, receive)
        await send.wait_send_all_might_not_block()
        print("sender: might not block", trio.current_time())
        await send.send_all(b"xyz")
        print("sender: sent", trio.current_time())
        with trio.move_on_after(1):
            await send.send_all(b"late")
        print("sender: moved on", trio.current_time())
        await send.aclose()
        pump(send, receive)
        pump(send, receive)
    await receive.aclose()


async def main():
    await by_hand()
    await broken()
    await hooked()


run(main)
