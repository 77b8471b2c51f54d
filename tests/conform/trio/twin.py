"""What the Python twins share: a run on a clock that jumps, in an order that the seed decides."""
import errno
import os
import random

import trio
import trio._core._run as _run
import trio.testing


class _Fifo(random.Random):
    """Trio shuffles by reversing a batch when this is below a half, and then takes from its end."""

    def random(self):
        return 0.0


def leaves(error):
    if hasattr(error, "exceptions"):
        return [leaf for one in error.exceptions for leaf in leaves(one)]
    return [error]


def name(error):
    if error is None:
        return "ok"
    error = leaves(error)[0]
    if isinstance(error, OSError):
        return errno.errorcode[error.errno]
    return type(error).__name__


def say_group(error):
    for leaf in leaves(error):
        print("error:", name(leaf))


def eio():
    return OSError(errno.EIO, "eio")


def enoent():
    return OSError(errno.ENOENT, "enoent")


def run(main):
    seed = os.environ.get("SEED")
    _run._r = random.Random(int(seed)) if seed else _Fifo()
    error = None
    try:
        trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0), strict_exception_groups=True)
    except BaseException as caught:
        error = caught
    print("run:", name(error))
