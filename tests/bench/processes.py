"""Processes, namespaces and files that end with the run, however it ends."""
import contextlib
import ctypes
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import time

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
SPACE = f"weir-bench-{os.getpid()}"


class Broken(Exception):
    """Something did not run; says what."""


def before_exec():
    """Dies with its parent; and, where allowed, comes before whatever else the machine does."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)


class Space:
    """A network namespace: its name, and the words to put before what runs in it."""

    def __init__(self, house, name):
        self.house, self.name = house, name
        self.words = ["ip", "netns", "exec", name]

    def ip(self, *words):
        self.house.ip("-n", self.name, *words)


class House:
    """A directory of its own, and what runs in it. Use as a context manager."""

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        self.spaces = 0
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="weir-bench-"))
        self.stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        # Where the EAL keeps its own files; else they would stay in /var/run/dpdk.
        self.environment = dict(os.environ, RUNTIME_DIRECTORY=str(self.directory))
        return self

    def __exit__(self, *_):
        self.stack.close()

    @contextlib.contextmanager
    def running(self, name, command, **how):
        """Runs a command for as long as the block lasts."""
        with open(self.directory / f"{name}.log", "w", encoding="utf-8") as log:
            process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stderr=log,
                                       env=self.environment, preexec_fn=before_exec, **{"stdout": log, **how})
            try:
                yield process
            finally:
                self.end(process)

    @staticmethod
    def end(process):
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdin.close()

    def log_of(self, name):
        return (self.directory / f"{name}.log").read_text(errors="replace")[-2000:]

    def wait_for(self, path, process, name, seconds=10):
        """Waits until a file is there, made by a process that must stay alive meanwhile."""
        deadline = time.monotonic() + seconds
        while not path.exists():
            if process.poll() is not None:
                raise Broken(f"{name} exits with {process.returncode} as it starts:\n{self.log_of(name)}")
            if time.monotonic() > deadline:
                raise Broken(f"{name} has not made {path} after {seconds} s:\n{self.log_of(name)}")
            time.sleep(0.01)

    @contextlib.contextmanager
    def answer_of(self, name, command, seconds):
        """Runs a command until it has written a line, which the block gets; it stays for as long as the block lasts."""
        with self.running(name, command, stdout=subprocess.PIPE) as process, process.stdout:
            if not select.select([process.stdout], [], [], seconds)[0]:
                raise Broken(f"{name} has not answered after {seconds:.0f} s:\n{self.log_of(name)}")
            line = process.stdout.readline().decode()
            if not line:
                raise Broken(f"{name} exits with {process.wait()}:\n{self.log_of(name)}")
            yield line

    def ip(self, *words):
        done = subprocess.run(["ip", *words], capture_output=True, text=True)
        if done.returncode != 0:
            raise Broken(f"ip {' '.join(words)}: {done.stderr.strip()}")

    @contextlib.contextmanager
    def space(self):
        """Makes a network namespace, for as long as the block lasts."""
        self.spaces += 1
        name = f"{SPACE}-{self.spaces}"
        self.ip("netns", "add", name)
        try:
            yield Space(self, name)
        finally:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    def veth(self):
        """Makes two namespaces joined by a veth: returns the words to put before what runs in each."""
        spaces = (f"{SPACE}-a", f"{SPACE}-b")
        for space in spaces:
            self.ip("netns", "add", space)
            self.stack.callback(subprocess.run, ["ip", "netns", "del", space], capture_output=True)
        self.ip("-n", spaces[0], "link", "add", "veth", "type", "veth", "peer", "name", "veth", "netns", spaces[1])
        for number, space in enumerate(spaces, 1):
            self.ip("-n", space, "addr", "add", f"10.0.0.{number}/24", "dev", "veth")
            self.ip("-n", space, "link", "set", "veth", "up")
        return [["ip", "netns", "exec", space] for space in spaces]
