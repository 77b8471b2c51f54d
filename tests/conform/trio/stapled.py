# compare: exact shuffled
import errno

import trio
from twin import eio, enoent, name, run


class Half(trio.abc.SendStream, trio.abc.ReceiveStream):
    def __init__(self, title, error=None):
        self.title = title
        self.error = error

    async def send_all(self, data):
        print(f"{self.title}: send_all {data.decode()}")
        await trio.sleep(1)

    async def wait_send_all_might_not_block(self):
        print(f"{self.title}: wait_send_all_might_not_block")
        await trio.sleep(1)

    async def receive_some(self, max_bytes=None):
        print(f"{self.title}: receive_some {max_bytes}")
        await trio.sleep(1)
        return b"r" * max_bytes

    async def aclose(self):
        print(f"{self.title}: close")
        await trio.sleep(1)
        if self.error:
            raise self.error


class HalfWithEof(Half):
    async def send_eof(self):
        print(f"{self.title}: send_eof")
        await trio.sleep(1)


async def closing(stream):
    try:
        await stream.aclose()
        print("main: closed", trio.current_time())
    except OSError as error:
        print("main:", name(error), trio.current_time())


async def main():
    stream = trio.StapledStream(HalfWithEof("sender"), Half("receiver"))
    await stream.send_all(b"foo")
    await stream.wait_send_all_might_not_block()
    print("main: got", (await stream.receive_some(3)).decode())
    await stream.send_eof()
    await closing(stream)

    stream = trio.StapledStream(Half("sender"), Half("receiver"))
    await stream.send_eof()
    print("main: half closed", trio.current_time())
    print("main: got", (await stream.receive_some(2)).decode())

    await closing(trio.StapledStream(Half("sender", eio()), Half("receiver")))
    await closing(trio.StapledStream(Half("sender"), Half("receiver", enoent())))

    with trio.CancelScope() as scope:
        scope.cancel()
        await closing(trio.StapledStream(Half("sender"), Half("receiver")))
        print("main: not here")
    print("main: closed though cancelled", scope.cancelled_caught)

    with trio.move_on_after(0.5) as scope:
        await closing(trio.StapledStream(Half("sender"), Half("receiver")))
    print("main: closed though cancelled", scope.cancelled_caught, trio.current_time())

    stream = trio.StapledStream(Half("sender"), Half("receiver"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stream.send_all, b"both at once")
        nursery.start_soon(stream.receive_some, 5)
    print("main:", trio.current_time())


run(main)
