# compare: exact shuffled
# A value handed over first is delivered; a cancellation that came first takes nothing.
import trio
from twin import name, run


async def racer(scope, send, cancel_first):
    if cancel_first:
        scope.cancel()
    try:
        send.send_nowait(9)
        print("racer: sent")
    except trio.WouldBlock as error:
        print("racer:", name(error))
    scope.cancel()


async def main():
    for cancel_first in False, True:
        send, receive = trio.open_memory_channel(0)
        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:
                nursery.start_soon(racer, scope, send, cancel_first)
                print("main: got", await receive.receive())
            print("main:", scope.cancel_called, scope.cancelled_caught)


run(main)
