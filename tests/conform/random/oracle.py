#!/usr/bin/python3
"""Random programs under Weir and under Trio: each step of theirs must say the same, in the same order, at the same time.

oracle.py PROGRAM [COUNT [FIRST]]    PROGRAM: program.c, built; runs COUNT programs, from the seeds FIRST on
oracle.py PROGRAM --show SEED        one, with what both say

Trio is made to take Weir's order, where its own is none or another: see twin.py, and the patches here. What is caught by
whom, what is cancelled, what waits, and which errors come out is Trio's own. Answers 0, 1 if something differs, 77
without python3-trio.
"""
import os
import pathlib
import random
import shlex
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "trio"))

TICK = 0.25
CHANNELS, EVENTS, LOCKS = 2, 2, 2
WRAPPER = shlex.split(os.environ.get("MESON_EXE_WRAPPER", ""))

# ---- programs ----


class Writer:
    """Writes a program: a list of (name, number, args, body, cleanup)."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.number = 0
        self.scopes, self.nurseries = [0], []  # written so far
        self.around = [0]  # scopes that the one being written is in
        self.starting = False  # in the body of a start
        self.left = self.random.randint(6, 45)

    def below(self, n):
        return self.random.randrange(n)

    def a_scope(self):
        return self.random.choice(self.around if self.random.random() < 0.6 else self.scopes[-6:])

    def a_nursery(self):
        return self.random.choice(self.nurseries[-4:])

    def delay(self):
        return self.random.choice([0, 1, 1, 2, 2, 3, 4, 6, 9])

    def simple(self):
        kinds = [("sleep", 12), ("checkpoint", 5), ("if_cancelled", 2), ("shielded", 2), ("wait", 3), ("set", 3),
                 ("send", 4), ("receive", 4), ("send_nowait", 1), ("receive_nowait", 1), ("close_send", 1),
                 ("close_receive", 1), ("cancel", 7), ("deadline", 4), ("shield", 3), ("effective", 2), ("raise", 4),
                 ("started", 20 if self.starting else 1), ("children", 2 if self.nurseries else 0)]
        name = self.random.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]
        args = {"sleep": lambda: [self.delay()], "wait": lambda: [self.below(EVENTS)], "set": lambda: [self.below(EVENTS)],
                "cancel": lambda: [self.a_scope()], "shield": lambda: [self.a_scope(), self.below(2)],
                "children": lambda: [self.a_nursery()],
                "deadline": lambda: [self.a_scope(), self.random.choice([-1, 0, 1, 2, 3, 5, 1000])]}
        if name.partition("_")[0] in ("send", "receive", "close"):
            return name, [self.below(CHANNELS)]
        return name, args.get(name, list)()

    def op(self, depth):
        self.left -= 1
        self.number += 1
        number = self.number
        if depth > 4 or self.random.random() < 0.55:
            name, args = self.simple()
            return name, number, args, None, None
        name = self.random.choices(
            ["scope", "move_on", "fail", "nursery", "spawn", "start", "swallow_cancelled", "swallow_errors",
             "swallow_all", "lock", "finally"],
            [3, 4, 3, 6, 9 if self.nurseries else 0, 4 if self.nurseries else 0, 1, 3, 2, 3, 3])[0]
        shielded = int(self.random.random() < 0.2)
        args = []
        if name in ("scope", "move_on", "fail"):
            args = [self.delay(), shielded]
        elif name == "nursery":
            self.nurseries.append(number)
            args = [shielded]
        elif name == "lock":
            args = [self.below(LOCKS)]
        elif name in ("spawn", "start"):
            args = [self.a_nursery()]
        if name in ("scope", "move_on", "fail", "nursery"):
            self.scopes.append(number)
            self.around.append(number)
        starting, self.starting = self.starting, name == "start" or self.starting and name != "spawn"
        body = self.block(depth + 1)
        cleanup = self.block(depth + 1) if name == "finally" else None
        self.starting = starting
        if name in ("scope", "move_on", "fail", "nursery"):
            self.around.pop()
        return name, number, args, body, cleanup

    def block(self, depth):
        length = self.random.choice([1, 1, 2, 2, 3, 4]) if depth > 0 else 8
        return [self.op(depth) for _ in range(length) if self.left > 0]

    def program(self):
        capacities = [self.random.choice([0, 1, 2]) for _ in range(CHANNELS)]
        return capacities, self.block(0)


def text_of(block, indent="  "):
    lines = []
    for name, number, args, body, cleanup in block:
        line = indent + " ".join(map(str, [name, number, *args]))
        if body is None:
            lines.append(line)
            continue
        lines += [line + " {", *text_of(body, indent + "  "), indent + "}"]
        if cleanup is not None:
            lines += [indent + "{", *text_of(cleanup, indent + "  "), indent + "}"]
    return lines


def program_text(program):
    capacities, block = program
    return "\n".join([" ".join(map(str, capacities)), "{", *text_of(block), "}"]) + "\n"


# ---- Trio, in Weir's order ----

def patch():
    import trio
    import trio._core._run as _run
    import twin

    async def checkpoint():
        """A cancelled checkpoint of Trio's lets others run twice, of Weir's once."""
        await trio.lowlevel.cancel_shielded_checkpoint()
        await checkpoint_if_cancelled()

    async def checkpoint_if_cancelled():
        """Weir's lets nobody run."""
        if trio.lowlevel.current_task()._cancel_status.effectively_cancelled:
            raise trio.Cancelled._create()

    async def nested_child_finished(self, error):
        """As twin.py's; but with no children left, nobody else runs."""
        if error is not None:
            self._add_exc(error)
        self._nested_child_running = False
        self._check_nursery_closed()
        if not self._closed:
            self._parent_waiting_in_aexit = True
            await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)
        assert self._parent_task._child_nurseries.pop() is self
        if self._pending_excs:
            return twin.MultiError(self._pending_excs, _collapse=not self._strict_exception_groups)

    original_started = _run._TaskStatus.started

    def started(self, value=None):
        """Trio's never moves a child whose caller is cancelled. Weir's does, if the nursery is cancelled too."""
        old = self._old_nursery._cancel_status
        both = old.effectively_cancelled and self._new_nursery._cancel_status.effectively_cancelled
        old.effectively_cancelled &= not both
        original_started(self, value)
        old.effectively_cancelled |= both

    _run._TaskStatus.started = started
    trio.lowlevel.checkpoint = checkpoint
    trio.lowlevel.checkpoint_if_cancelled = checkpoint_if_cancelled
    _run.Nursery._nested_child_finished = nested_child_finished


class Raised(Exception):
    def __init__(self, number):
        self.number = number


class Runner:
    """Runs a program under Trio."""

    def __init__(self, program):
        import trio
        import twin
        self.trio, self.twin = trio, twin
        capacities, self.main = program
        self.lines = []
        self.scopes, self.nurseries = {}, {}
        self.events = [trio.Event() for _ in range(EVENTS)]
        self.channels = [trio.open_memory_channel(capacity) for capacity in capacities]
        self.locks = [trio.Lock() for _ in range(LOCKS)]
        for event in self.events:
            event._tasks = twin._Ordered()
        for end in (end for ends in self.channels for end in ends):
            end._tasks = twin._Ordered()

    # -- saying --

    def now(self):
        return round(self.trio.current_time() / TICK)

    def class_of(self, error):
        if error is None:
            return "ok"
        leaves = self.twin.leaves(error)
        return "Cancelled" if all(isinstance(leaf, self.trio.Cancelled) for leaf in leaves) else "error"

    def name_of(self, error):
        if error is None:
            return "ok"
        if self.class_of(error) == "Cancelled":
            return "Cancelled"
        for leaf in self.twin.leaves(error):
            if isinstance(leaf, Raised):
                return "error"
        return type(self.twin.leaves(error)[0]).__name__

    def say(self, task, op, error=None, more=""):
        self.lines.append(f"{task.number}: {op[0]} {op[1]} {more}{self.name_of(error)} at {self.now()}")

    # -- running --

    async def block(self, task, ops):
        for op in ops:
            await getattr(self, "op_" + op[0])(task, op)

    async def say_outcome(self, task, op, fn, *args):
        try:
            await fn(*args)
        except BaseException as error:
            self.say(task, op, error)
            raise
        self.say(task, op)

    async def op_sleep(self, task, op):
        trio = self.trio

        async def sleep(ticks):
            if ticks == 0:
                return await trio.lowlevel.checkpoint()
            await trio.lowlevel.checkpoint_if_cancelled()
            await trio.sleep(ticks * TICK)
        await self.say_outcome(task, op, sleep, op[2][0])

    async def op_checkpoint(self, task, op):
        await self.say_outcome(task, op, self.trio.lowlevel.checkpoint)

    async def op_if_cancelled(self, task, op):
        await self.say_outcome(task, op, self.trio.lowlevel.checkpoint_if_cancelled)

    async def op_shielded(self, task, op):
        await self.say_outcome(task, op, self.trio.lowlevel.cancel_shielded_checkpoint)

    async def op_wait(self, task, op):
        event = self.events[op[2][0]]

        async def wait():
            if not event.is_set():
                await self.trio.lowlevel.checkpoint_if_cancelled()
            await event.wait()
        await self.say_outcome(task, op, wait)

    async def op_set(self, task, op):
        self.events[op[2][0]].set()
        self.say(task, op)

    async def op_close_send(self, task, op):
        self.channels[op[2][0]][0].close()
        self.say(task, op)

    async def op_close_receive(self, task, op):
        self.channels[op[2][0]][1].close()
        self.say(task, op)

    async def on_channel(self, task, op, sends, waits):
        """What need not wait lets nobody run, as in Weir."""
        trio = self.trio
        end = self.channels[op[2][0]][0 if sends else 1]
        args = [op[1]] if sends else []
        try:
            if waits:
                await trio.lowlevel.checkpoint_if_cancelled()
            try:
                got = (end.send_nowait if sends else end.receive_nowait)(*args)
            except trio.WouldBlock:
                if not waits:
                    raise
                got = await (end.send if sends else end.receive)(*args)
        except trio.Cancelled as error:
            self.say(task, op, error)
            raise
        except Exception as error:
            self.say(task, op, error)
        else:
            self.say(task, op, None, "" if sends else f"got {got} ")

    async def op_send(self, task, op):
        await self.on_channel(task, op, True, True)

    async def op_send_nowait(self, task, op):
        await self.on_channel(task, op, True, False)

    async def op_receive(self, task, op):
        await self.on_channel(task, op, False, True)

    async def op_receive_nowait(self, task, op):
        await self.on_channel(task, op, False, False)

    async def op_lock(self, task, op):
        trio, lock = self.trio, self.locks[op[2][0]]
        try:
            await trio.lowlevel.checkpoint_if_cancelled()
            try:
                lock.acquire_nowait()
            except trio.WouldBlock:
                await lock.acquire()
        except RuntimeError:
            return self.say(task, op, None, "mine ")
        except trio.Cancelled as error:
            self.say(task, op, error)
            raise
        self.say(task, op, None, f"waiting {lock.statistics().tasks_waiting} ")
        try:
            await self.block(task, op[3])
        finally:
            lock.release()

    async def op_children(self, task, op):
        nursery = self.nurseries.get(op[2][0])
        self.say(task, op, None, "none " if nursery is None else f"{len(nursery.child_tasks)} ")

    async def on_scope(self, task, op, change):
        scope = self.scopes.get(op[2][0])
        if scope is None:
            return self.say(task, op, None, "none ")
        change(scope)
        self.say(task, op)

    async def op_cancel(self, task, op):
        await self.on_scope(task, op, lambda scope: scope.cancel())

    async def op_deadline(self, task, op):
        ticks = op[2][1]

        def change(scope):
            scope.deadline = float("inf") if ticks == 1000 else self.trio.current_time() + ticks * TICK
            scope.cancel_called  # a look at it cancels at once what is past
        await self.on_scope(task, op, change)

    async def op_shield(self, task, op):
        def change(scope):
            scope.shield = bool(op[2][1])
        await self.on_scope(task, op, change)

    async def op_effective(self, task, op):
        deadline = self.trio.current_effective_deadline()
        text = {float("inf"): "never ", float("-inf"): "now "}.get(deadline)
        self.say(task, op, None, text or f"{round(deadline / TICK)} ")

    async def op_raise(self, task, op):
        error = Raised(op[1])
        self.say(task, op, error)
        raise error

    async def op_started(self, task, op):
        try:
            task.status.started()
        except RuntimeError:
            return self.say(task, op, None, "again ")
        self.say(task, op)

    def say_scope(self, task, op, scope, error):
        self.lines.append(f"{task.number}: {op[0]} {op[1]} called {scope.cancel_called:d} "
                          f"caught {scope.cancelled_caught:d}, {self.class_of(error)} at {self.now()}")

    async def in_scope(self, task, op, scope):
        self.scopes[op[1]] = scope
        try:
            if op[2][1]:
                scope.shield = True
            await self.block(task, op[3])
        finally:
            del self.scopes[op[1]]

    async def with_scope(self, task, op, manager):
        scope = None
        try:
            with manager as scope:
                await self.in_scope(task, op, scope)
        except BaseException as error:
            self.say_scope(task, op, scope, error)
            raise
        self.say_scope(task, op, scope, None)

    async def op_scope(self, task, op):
        await self.with_scope(task, op, self.trio.CancelScope())

    async def op_move_on(self, task, op):
        await self.with_scope(task, op, self.trio.move_on_after(op[2][0] * TICK))

    async def op_fail(self, task, op):
        await self.with_scope(task, op, self.trio.fail_after(op[2][0] * TICK))

    async def op_nursery(self, task, op):
        nursery = None
        try:
            try:
                async with self.trio.open_nursery() as nursery:
                    self.nurseries[op[1]] = nursery
                    self.scopes[op[1]] = nursery.cancel_scope
                    if op[2][0]:
                        nursery.cancel_scope.shield = True
                    await self.block(task, op[3])
            finally:
                del self.nurseries[op[1]]
                del self.scopes[op[1]]
        except BaseException as error:
            self.say_scope(task, op, nursery.cancel_scope, error)
            raise
        self.say_scope(task, op, nursery.cancel_scope, None)

    async def run_task(self, number, body, task_status=None):
        task = self.Task()
        task.number, task.status = number, task_status or self.trio.TASK_STATUS_IGNORED
        try:
            await self.block(task, body)
        except BaseException as error:
            self.lines.append(f"{number}: ends, {self.class_of(error)} at {self.now()}")
            raise
        self.lines.append(f"{number}: ends, ok at {self.now()}")

    class Task:
        pass

    async def op_spawn(self, task, op):
        nursery = self.nurseries.get(op[2][0])
        if nursery is None:
            return self.say(task, op, None, "none ")
        try:
            nursery.start_soon(self.run_task, op[1], op[3])
        except RuntimeError:
            return self.say(task, op, None, "closed ")
        self.say(task, op)

    async def op_start(self, task, op):
        nursery = self.nurseries.get(op[2][0])
        if nursery is None:
            return self.say(task, op, None, "none ")

        async def start():
            try:
                await nursery.start(self.run_task, op[1], op[3])
            except RuntimeError as error:
                # Weir's weir_start answers -ECANCELED where it is cancelled, whatever the child made of that.
                if "closed" in str(error):
                    raise self.trio.ClosedResourceError from None
                await self.trio.lowlevel.checkpoint_if_cancelled()
                raise EPROTO from None
        await self.say_outcome(task, op, start)

    async def swallow(self, task, op, classes):
        try:
            await self.block(task, op[3])
        except BaseException as error:
            if self.class_of(error) not in classes:
                raise
            self.say(task, op, None, self.class_of(error))

    async def op_swallow_cancelled(self, task, op):
        await self.swallow(task, op, ["Cancelled"])

    async def op_swallow_errors(self, task, op):
        await self.swallow(task, op, ["error"])

    async def op_swallow_all(self, task, op):
        await self.swallow(task, op, ["Cancelled", "error"])

    async def op_finally(self, task, op):
        try:
            await self.block(task, op[3])
        finally:
            await self.block(task, op[4])

    # -- the whole --

    async def watchdog(self, top):
        while True:
            await self.trio.sleep(1000 * TICK)
            self.bite(top)

    def bite(self, top):
        self.lines.append("watchdog")
        top.cancel()
        for number in sorted(self.scopes):
            if number in self.scopes:
                self.scopes[number].cancel()
        for event in self.events:
            event.set()
        for send, receive in self.channels:
            send.close()
            receive.close()

    def say_errors(self, error):
        leaves = [] if error is None else self.twin.leaves(error)
        raised = sorted({leaf.number for leaf in leaves if isinstance(leaf, Raised)})
        others = sorted({type(leaf).__name__ for leaf in leaves if not isinstance(leaf, Raised)})
        self.lines.append(" ".join(["errors:", *others, *map(str, raised)]))

    async def run_world(self):
        async with self.trio.open_nursery() as outer:
            caught = None
            try:
                async with self.trio.open_nursery() as top:
                    outer.start_soon(self.watchdog, top.cancel_scope)
                    top.start_soon(self.run_task, 0, self.main)
            except BaseException as error:
                caught = error
            self.say_errors(caught)
            outer.cancel_scope.cancel()

    def run(self):
        try:
            self.twin._run._r = self.twin._Fifo()
            self.trio.run(self.run_world, clock=self.trio.testing.MockClock(autojump_threshold=0),
                          strict_exception_groups=True)
            self.lines.append("run: ok")
        except BaseException as error:
            self.lines.append(f"run: {error!r}")
        return self.lines


class EPROTO(Exception):
    """What Weir answers where a child of start() ended without a report; in a closed nursery it is -EBADF, as for what
    else is closed."""

# ---- comparing ----


def sorted_errors(lines):
    """Codes come in their own order on each side."""
    return [" ".join(sorted(line.split())) if line.startswith("errors:") else line for line in lines]


def run_weir(program, programs):
    """What each says. When one hangs or dies it says so in its place, and there are no more."""
    source = "".join(map(program_text, programs)).encode()
    try:
        done = subprocess.run([*WRAPPER, program], input=source, capture_output=True, timeout=30 + len(programs) / 50)
        said, end = done.stdout, f"exit status {done.returncode}: {done.stderr.decode().strip()[-2000:]}"
    except subprocess.TimeoutExpired as expired:
        said, end = expired.stdout or b"", "hangs"
    traces = [trace.splitlines() for trace in said.decode().split("--\n")]
    traces[-1].append(end)
    return traces


def report(seed, program, ours, theirs):
    print(f"seed {seed}: differs\n{program_text(program)}")
    width = max(map(len, ours), default=0) + 2
    for i in range(max(len(ours), len(theirs))):
        left = ours[i] if i < len(ours) else ""
        right = theirs[i] if i < len(theirs) else ""
        print(f"  {left:{width}}{' ' if left == right else '|'} {right}")


def main(program, *args):
    try:
        import trio  # noqa: F401
    except ImportError:
        print("no python3-trio here: nothing to compare with")
        return 77
    patch()
    show = args[:1] == ("--show",)
    seeds = [int(args[1])] if show else range(*(lambda n, first: (first, first + n))(
        int(args[0]) if args else 300, int(args[1]) if len(args) > 1 else 1))
    programs = [Writer(seed).program() for seed in seeds]
    traces = run_weir(program, programs)
    failures = lines = 0
    for index, seed in enumerate(seeds):
        if index == len(traces):
            break
        ours = sorted_errors(traces[index])
        theirs = sorted_errors(Runner(programs[index]).run())
        lines += len(theirs)
        if ours != theirs or show:
            failures += ours != theirs
            if failures <= 3 or show:
                report(seed, programs[index], ours, theirs)
    print(f"{len(seeds)} programs, {lines} lines compared, {failures} programs differ")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
