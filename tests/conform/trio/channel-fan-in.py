# compare: exact shuffled
# Many senders, each with a clone of its own, one receiver: the end comes when the last clone is closed, by whatever way
# its owner left.
import trio
from twin import eio, run


async def producer(number, send):
    async with send:
        with trio.move_on_after(3.5 if number == 1 else 100):
            for i in range(number + 3):
                await send.send((number, i))
                await trio.sleep(1)
            if number == 2:
                return
            print(f"{number}: did all", trio.current_time())
    print(f"{number}: closed", trio.current_time())


async def main():
    counts = [0] * 4
    async with trio.open_nursery() as nursery:
        send, receive = trio.open_memory_channel(2)
        async with send:
            for number in range(4):
                nursery.start_soon(producer, number, send.clone())
        async with receive:
            async for number, i in receive:
                assert i == counts[number]
                counts[number] += 1
        print("main: end", counts, trio.current_time())
    # one of them fails: the others are cancelled, and close their clones too
    try:
        async with trio.open_nursery() as nursery:
            send, receive = trio.open_memory_channel(0)
            for number in range(2):
                nursery.start_soon(producer, number, send.clone())
            await trio.sleep(0.5)
            raise eio()
    except BaseException:
        print("main: open", send.statistics().open_send_channels)


run(main)
