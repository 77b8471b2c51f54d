# compare: exact
import threading

import trio
from twin import name, run


def work(x):
    return 2 * x


def fail(x):
    raise OSError(5, "eio")


gate = threading.Semaphore(0)


def wait_for_gate():
    gate.acquire()
    return 7


async def cancel(scope):
    scope.cancel()


async def main():
    print("main:", await trio.to_thread.run_sync(work, 21))
    try:
        await trio.to_thread.run_sync(fail, 1)
    except OSError as error:
        print("main:", name(error))
    # cancelled before it began
    with trio.CancelScope() as scope:
        scope.cancel()
        await trio.to_thread.run_sync(work, 1)
    print("main:", scope.cancelled_caught)
    # once it runs, it is waited for, and its result delivered
    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            nursery.start_soon(cancel, scope)
            gate.release()
            print("main: got", await trio.to_thread.run_sync(wait_for_gate))
            print("main: not raised here")
    print("main:", scope.cancel_called, scope.cancelled_caught)
    # ... unless it may be abandoned
    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            nursery.start_soon(cancel, scope)
            await trio.to_thread.run_sync(wait_for_gate, cancellable=True)
        print("main: abandoned", scope.cancelled_caught)
        gate.release()


run(main)
