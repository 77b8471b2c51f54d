# compare: exact
import os
import signal

import trio
from twin import run


async def main():
    with trio.open_signal_receiver(signal.SIGUSR1, signal.SIGUSR2) as signals:
        os.kill(os.getpid(), signal.SIGUSR1)
        print("main:", (await signals.__anext__()) == signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR2)
        os.kill(os.getpid(), signal.SIGUSR2)
        print("main:", (await signals.__anext__()) == signal.SIGUSR2)
        # coalesced: there is no second one
        with trio.move_on_after(1) as scope:
            await signals.__anext__()
        print("main:", scope.cancelled_caught)
    # Ctrl-C is taken while it is open
    with trio.open_signal_receiver(signal.SIGINT) as signals:
        os.kill(os.getpid(), signal.SIGINT)
        print("main:", (await signals.__anext__()) == signal.SIGINT)
        await trio.sleep(1)
    print("main: not interrupted")


run(main)
