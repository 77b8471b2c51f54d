# compare: tasks shuffled
# The last receiver goes with messages in the buffer: they are lost, and whoever sends hears of it. An end closed under a
# task that waits on it wakes that task.
import trio
from twin import name, run


async def attempt(who, fn, *args):
    try:
        print(f"{who}:", await fn(*args))
    except Exception as error:
        print(f"{who}:", name(error), trio.current_time())


async def main():
    send, receive = trio.open_memory_channel(2)
    async with trio.open_nursery() as nursery:
        for message in range(3):
            nursery.start_soon(attempt, "a" if message < 2 else "b", send.send, message)
            await trio.lowlevel.checkpoint()
        await trio.sleep(1)
        print("main:", send.statistics().current_buffer_used, send.statistics().tasks_waiting_send)
        receive.close()
        print("main:", send.statistics().current_buffer_used, send.statistics().open_receive_channels)
    await attempt("main", send.send, 4)
    send.close()
    await attempt("main", send.send, 5)
    # by a third task, while one waits to send and another on a clone
    send, receive = trio.open_memory_channel(0)
    clone = send.clone()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(attempt, "c", send.send, 6)
        nursery.start_soon(attempt, "d", clone.send, 7)
        await trio.sleep(1)
        send.close()
        await trio.sleep(1)
        print("main:", await receive.receive())
    # while it receives; the other receiver goes on
    other = receive.clone()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(attempt, "e", receive.receive)
        nursery.start_soon(attempt, "f", other.receive)
        await trio.sleep(1)
        receive.close()
        await trio.sleep(1)
        clone.send_nowait(8)
        nursery.start_soon(attempt, "g", other.receive)
        await trio.sleep(1)
        clone.close()
    await attempt("main", other.receive)


run(main)
