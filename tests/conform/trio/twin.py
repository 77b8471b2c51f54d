"""What the Python twins share: a run on a clock that jumps, in an order that the seed decides."""
import errno
import heapq
import itertools
import os
import random

import trio
import trio._core._run as _run
import trio._timeouts
import trio.testing
from trio._core._multierror import MultiError


class _Fifo(random.Random):
    """Trio shuffles by reversing a batch when this is below a half, and then takes from its end."""

    def random(self):
        return 0.0


_order = itertools.count()


def _add(self, deadline, cancel_scope):
    """Of equal deadlines Trio takes the one whose scope lies lower in memory; ours the one set first."""
    heapq.heappush(self._heap, (deadline, next(_order), cancel_scope))
    self._active += 1


class _Ordered(dict):
    """A set in order of insertion: what Trio does with all tasks of a scope it does in no order."""

    def add(self, one):
        self[one] = None

    def remove(self, one):
        del self[one]

    def discard(self, one):
        self.pop(one, None)


_sleeping = set()  # the scopes of sleeps: ours have none


async def _sleep_until(deadline):
    with trio.CancelScope(deadline=deadline) as scope:
        _sleeping.add(scope)
        try:
            await trio.sleep_forever()
        finally:
            _sleeping.discard(scope)


def _in_order(status):
    """Who opened the scope, then its nursery's children: tasks, or the scope that a task sleeps in."""

    def place(item):
        task = item[0]
        nursery = task.parent_nursery
        is_child = nursery is not None and nursery._cancel_status is status
        return list(nursery._children).index(task) + 1 if is_child else 0

    items = [(task, None) for task in status._tasks]
    items += [(task, child) for child in status._children if child._scope in _sleeping for task in child._tasks]
    return sorted(items, key=place)


def _recalculate(self):
    """As Trio's, but from the first child to the last."""
    todo = [self]
    while todo:
        current = todo.pop()
        state = current._scope.cancel_called or current.parent_cancellation_is_visible_to_us
        if state == current.effectively_cancelled:
            continue
        current.effectively_cancelled = state
        if state:
            for task, sleep in _in_order(current):
                if sleep is not None:
                    sleep.effectively_cancelled = True
                task._attempt_delivery_of_any_pending_cancel()
        todo.extend(reversed(list(current._children)))


def _ordered(cls, method, names):
    """Has the sets that an object of Trio's is made with replaced by ordered ones."""
    original = getattr(cls, method)

    def made(self, *args, **kwargs):
        if method == "__init__":
            original(self, *args, **kwargs)
        for name in names:
            setattr(self, name, _Ordered())
        if method != "__init__":
            original(self, *args, **kwargs)

    setattr(cls, method, made)


async def _nested_child_finished(self, error):
    """As Trio 0.23 and later have it (python-trio/trio#1457): the end of a nursery is no place to raise Cancelled.
    Debian's 0.22 raises it there, even though the wait cannot be cancelled."""
    if error is not None:
        self._add_exc(error)
    self._nested_child_running = False
    self._check_nursery_closed()
    if self._closed:
        await trio.lowlevel.cancel_shielded_checkpoint()
    else:
        self._parent_waiting_in_aexit = True
        await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)
    assert self._parent_task._child_nurseries.pop() is self
    if self._pending_excs:
        return MultiError(self._pending_excs, _collapse=not self._strict_exception_groups)


_run.Deadlines.add = _add
_run.CancelStatus.recalculate = _recalculate
trio._timeouts.sleep_until = trio.sleep_until = _sleep_until
_ordered(_run.CancelStatus, "__attrs_post_init__", ["_tasks", "_children"])
_ordered(_run.Nursery, "__init__", ["_children"])
if trio.__version__.startswith("0.22."):
    _run.Nursery._nested_child_finished = _nested_child_finished


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


def say_tree(group, indent="  "):
    for one in group.exceptions:
        if hasattr(one, "exceptions"):
            print(f"{indent}group")
            say_tree(one, indent + "  ")
        else:
            print(f"{indent}{name(one)}")


def yes_all(*scopes):
    """Of each scope: whether it was cancelled, and whether it caught."""
    return " ".join(f"{scope.cancel_called}/{scope.cancelled_caught}" for scope in scopes)


def eio():
    return OSError(errno.EIO, "eio")


def enoent():
    return OSError(errno.ENOENT, "enoent")


def run(main, **options):
    seed = os.environ.get("SEED")
    _run._r = random.Random(int(seed)) if seed else _Fifo()
    error = None
    try:
        trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0), strict_exception_groups=True, **options)
    except BaseException as caught:
        error = caught
    print("run:", name(error))
