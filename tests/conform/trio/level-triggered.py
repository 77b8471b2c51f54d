# compare: exact
import trio
from twin import name, run


async def attempt(fn, *args):
    try:
        await fn(*args)
    except trio.Cancelled as error:
        return error


async def main():
    event = trio.Event()
    event.set()
    send, receive = trio.open_memory_channel(2)
    await send.send(1)
    with trio.CancelScope() as scope:
        scope.cancel()
        # each could end without waiting
        for fn, *args in [(trio.lowlevel.checkpoint,), (trio.sleep, 0), (trio.sleep, 1), (event.wait,),
                          (send.send, 2), (receive.receive,), (trio.lowlevel.checkpoint_if_cancelled,)]:
            print(name(await attempt(fn, *args)))
    print(scope.cancel_called, scope.cancelled_caught)
    print("buffered", send.statistics().current_buffer_used)
    await trio.lowlevel.checkpoint()


run(main)
