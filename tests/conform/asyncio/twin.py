"""What the Python twins under asyncio share: a run on a clock that jumps, in an order that the seed decides."""
import asyncio
import errno
import os
import random


class _JumpingLoop(asyncio.SelectorEventLoop):
    """When nothing is ready, its time is at once that of the next timer."""

    def __init__(self, seed):
        super().__init__()
        self._passed = 0.0
        self._clock_resolution = 1e-9
        self._random = random.Random(int(seed)) if seed else None
        select = self._selector.select

        def jump(timeout):
            if timeout is None:
                raise RuntimeError("deadlock: everybody waits, and there is no timer")
            self._passed += timeout
            return select(0)

        self._selector.select = jump

    def time(self):
        return self._passed

    def _run_once(self):
        if self._random:
            ready = list(self._ready)
            self._random.shuffle(ready)
            self._ready.clear()
            self._ready.extend(ready)
        super()._run_once()


def now():
    return f"{asyncio.get_running_loop().time():.1f}"


def leaves(error):
    if isinstance(error, BaseExceptionGroup):
        return [leaf for one in error.exceptions for leaf in leaves(one)]
    return [error]


def name(error):
    if error is None:
        return "ok"
    error = leaves(error)[0]
    if isinstance(error, TimeoutError):
        return "TimeoutError"
    if isinstance(error, OSError):
        return errno.errorcode[error.errno]
    return type(error).__name__


def eio():
    return OSError(errno.EIO, "eio")


def enoent():
    return OSError(errno.ENOENT, "enoent")


def outcome(task):
    """What a task or future has come to."""
    if not task.done():
        return "pending"
    if task.cancelled():
        return "CancelledError"
    return name(task.exception()) if task.exception() else str(task.result())


async def wait_for_task(task):
    """The outcome of waiting for it, where the one who waits is not cancelled."""
    try:
        return str(await task)
    except BaseException as error:
        return name(error)


async def step(who, seconds, result):
    """A task that prints when it begins and ends, as those of the notes do; a result that is an error is raised."""
    print(f"{who}: started")
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError as error:
        print(f"{who}:", name(error), now())
        raise
    print(f"{who}: finished", now())
    if isinstance(result, BaseException):
        raise result
    return result


def run(main):
    error = None
    try:
        with asyncio.Runner(loop_factory=lambda: _JumpingLoop(os.environ.get("SEED"))) as runner:
            runner.run(main())
    except BaseException as caught:
        error = caught
    print("run:", name(error))
