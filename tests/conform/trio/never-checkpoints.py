# compare: exact
# What never waits works in a cancelled scope as anywhere, and lets nobody else run.
import trio
from twin import name, run, yes_all


async def other():
    print("other runs")


def attempt(fn, *args):
    try:
        value = fn(*args)
        return "ok" if not isinstance(value, int) or isinstance(value, bool) else value
    except Exception as error:
        return name(error)


async def main():
    send, receive = trio.open_memory_channel(1)
    event = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        with trio.CancelScope() as scope:
            scope.cancel()
            print(attempt(send.send_nowait, 1), attempt(send.send_nowait, 2))
            print(attempt(receive.receive_nowait), attempt(receive.receive_nowait))
            clone = send.clone()
            print(attempt(clone.send_nowait, 3), clone.statistics().open_send_channels)
            clone.close()
            print(attempt(clone.send_nowait, 4), attempt(send.close), attempt(send.close))
            print(attempt(receive.receive_nowait), attempt(receive.receive_nowait), attempt(receive.close))
            print(attempt(receive.receive_nowait), attempt(event.set), event.is_set())
            nursery.start_soon(other)
            print(len(nursery.child_tasks), trio.current_effective_deadline(), trio.current_time())
            with trio.CancelScope() as inner:
                print(inner.cancel_called)
            with trio.CancelScope(shield=True):
                print(trio.current_effective_deadline())
        print(yes_all(scope))
        print("now the others")
        await trio.lowlevel.checkpoint()
        print("main")


run(main)
