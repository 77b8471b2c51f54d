# compare: exact
import trio
from twin import run


def say(channel):
    s = channel.statistics()
    print(s.max_buffer_size, s.current_buffer_used, s.open_send_channels, s.open_receive_channels,
          s.tasks_waiting_send, s.tasks_waiting_receive)


async def main():
    send, receive = trio.open_memory_channel(2)
    say(send)
    async with trio.open_nursery() as nursery:
        for message in range(4):
            nursery.start_soon(send.send, message)
        await trio.sleep(1)
        say(send)
        clone = receive.clone()
        say(receive)
        print(receive.receive_nowait(), clone.receive_nowait())
        say(send)
        print(receive.receive_nowait(), clone.receive_nowait())
        say(send)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(clone.receive)
        await trio.sleep(1)
        say(clone)
        nursery.cancel_scope.cancel()
    say(send)
    clone.close()
    say(send)


run(main)
