# compare: exact
# Who waits first is served first, at both ends; the buffer comes before those who wait.
import trio
from twin import run


async def main():
    got = []

    async def sender(message):
        await send.send(message)

    async def receiver(number):
        got.append((number, await receive.receive()))

    # more senders than room
    send, receive = trio.open_memory_channel(3)
    async with trio.open_nursery() as nursery:
        for message in range(8):
            nursery.start_soon(sender, message)
            await trio.lowlevel.checkpoint()
        print("waiting", send.statistics().tasks_waiting_send, send.statistics().current_buffer_used)
        print([receive.receive_nowait() for _ in range(2)])
        print("waiting", send.statistics().tasks_waiting_send, send.statistics().current_buffer_used)
        print([receive.receive_nowait() for _ in range(6)])
    # more receivers than messages
    for capacity in 0, 2:
        send, receive = trio.open_memory_channel(capacity)
        async with trio.open_nursery() as nursery:
            for number in range(5):
                nursery.start_soon(receiver, number)
                await trio.lowlevel.checkpoint()
            for message in range(5):
                send.send_nowait(10 * message)
            print("waiting", receive.statistics().tasks_waiting_receive, send.statistics().current_buffer_used)
        print(sorted(got))
        got.clear()


run(main)
