"""Processes, namespaces and files that end with the run, however it ends."""
import contextlib
import ctypes
import os
import pathlib
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


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class House:
    """A directory of its own, and what runs in it. Use as a context manager."""

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="weir-bench-"))
        self.stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        # Where the EAL keeps its own files; else they would stay in /var/run/dpdk.
        self.environment = dict(os.environ, RUNTIME_DIRECTORY=str(self.directory))
        return self

    def __exit__(self, *_):
        self.stack.close()

    @contextlib.contextmanager
    def running(self, name, command):
        """Runs a command for as long as the block lasts."""
        log = open(self.directory / f"{name}.log", "w+", encoding="utf-8", errors="replace")
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=log, stderr=log,
                                   env=self.environment, preexec_fn=die_with_parent)
        try:
            yield process
        finally:
            self.end(process)
            log.close()

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

    def run(self, command, seconds):
        """Runs a command to its end, within so many seconds. Returns its standard output."""
        with open(self.directory / "run.log", "w+", encoding="utf-8", errors="replace") as log:
            process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=log, text=True, env=self.environment, preexec_fn=die_with_parent)
            try:
                output, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired as late:
                raise Broken(f"{command[0]} took more than {seconds:.0f} s") from late
            finally:
                self.end(process)
        if process.returncode != 0:
            raise Broken(f"{command[0]} exits with {process.returncode}:\n{self.log_of('run')}\n{output}")
        return output

    def ip(self, *words):
        done = subprocess.run(["ip", *words], capture_output=True, text=True)
        if done.returncode != 0:
            raise Broken(f"ip {' '.join(words)}: {done.stderr.strip()}")

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
