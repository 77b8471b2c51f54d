# compare: exact shuffled
# A cancelled send has sent nothing, a cancelled receive has taken nothing, and nobody behind them is held up.
import trio
from twin import run, yes_all


async def sender(send, message, seconds):
    with trio.move_on_after(seconds) as scope:
        await send.send(message)
    print(f"sender {message}:", yes_all(scope), f"{trio.current_time():.2f}")


async def receiver(receive, number, seconds):
    with trio.move_on_after(seconds) as scope:
        print(f"receiver {number}: got", await receive.receive())
    print(f"receiver {number}:", yes_all(scope), f"{trio.current_time():.2f}")


async def main():
    send, receive = trio.open_memory_channel(0)
    async with trio.open_nursery() as nursery:
        for message, seconds in enumerate([10, 2, 10, 3]):
            nursery.start_soon(sender, send, message, seconds)
            await trio.sleep(0.25)
        await trio.sleep(4)
        print("main: waiting", send.statistics().tasks_waiting_send)
        print("main:", receive.receive_nowait(), receive.receive_nowait())
    async with trio.open_nursery() as nursery:
        for number, seconds in enumerate([2, 10, 2, 10]):
            nursery.start_soon(receiver, receive, number, seconds)
            await trio.sleep(0.25)
        await trio.sleep(4)
        print("main: waiting", send.statistics().tasks_waiting_receive)
        send.send_nowait("first")
        send.send_nowait("second")
    # full, and the sender that waits is cancelled while the only receiver is busy
    send, receive = trio.open_memory_channel(1)
    send.send_nowait("buffered")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sender, send, "waited", 1)
        await trio.sleep(2)
        print("main:", await receive.receive(), send.statistics().current_buffer_used)
        nursery.start_soon(sender, send, "fits", 1)


run(main)
