"""What the tests against the kernel share: a network namespace of one's own, and `weir` in it.

The whole test runs in a namespace that `unshare` made: it goes when the test's last process does, whatever happens."""
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CLIENT = os.path.join(HERE, "kernel_client.py")
LSAN = f"suppressions={os.path.join(HERE, '..', 'support', 'lsan.supp')}:print_suppressions=0"
STACK, KERNEL = "192.0.2.2", "192.0.2.1"
PATIENCE = 60  # seconds, for what takes less than one
SKIP = 77      # what Meson takes for "skipped"


class Failed(Exception):
    pass


def check(condition, what):
    if not condition:
        raise Failed(what)


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


def in_own_network():
    """Starts this program again in a network namespace of its own."""
    if os.geteuid() != 0:
        skip("needs root, for a network namespace and a TAP in it")
    if os.environ.get("WEIR_PEER_INSIDE") is None:
        os.environ["WEIR_PEER_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
    run("ip", "link", "set", "lo", "up")


def run(*command, timeout=PATIENCE):
    """Runs a command that must succeed; returns what it printed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout,
                          check=False)
    check(done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout}")
    return done.stdout


def wait_for(condition, what, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while not condition():
        check(time.monotonic() < deadline, f"{what}: not after {patience} s")
        time.sleep(0.01)  # between two looks; nothing depends on its length


class Weir:
    """A running `weir`. Use it in a with block; its end is checked by `stop`."""

    def __init__(self, *arguments, command=(), environment=None):
        self.temporary = tempfile.mkdtemp(prefix="w", dir="/tmp")
        os.chmod(self.temporary, 0o777)
        environment = dict(environment or os.environ, TMPDIR=self.temporary, LSAN_OPTIONS=LSAN)
        self.output = tempfile.TemporaryFile(mode="w+")
        self.errors = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen([*command, weir_path(), *arguments], stdout=self.output, stderr=self.errors,
                                        stdin=subprocess.DEVNULL, env=environment)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if kind is not None:
            print(f"--- weir said:\n{self.text(self.output)}{self.text(self.errors)}---")
        self.output.close()
        self.errors.close()
        shutil.rmtree(self.temporary, ignore_errors=True)

    @staticmethod
    def text(file):
        # Not by seeking: the place in the file is weir's too, who is writing.
        return os.pread(file.fileno(), 1 << 24, 0).decode(errors="replace")

    def said(self):
        return self.text(self.output)

    def complained(self):
        return self.text(self.errors)

    def wait_ready(self, what="echo: port"):
        wait_for(lambda: what in self.said() or self.process.poll() is not None, f"'{what}'")
        check(self.process.poll() is None, "weir ended by itself")
        return self

    def finish(self):
        """Waits for its end, and checks that it was a good one: nothing lost, nothing left, nothing to complain of."""
        status = self.process.wait(PATIENCE)
        check(self.complained() == "", f"weir complained:\n{self.complained()}")
        check(status == 0, f"weir's exit status is {status}")
        check(re.search(r"all \d+ packets are back", self.said()), "packets did not come back")
        left = os.listdir(self.temporary) + glob.glob(f"/var/run/dpdk/weir-{self.process.pid}")
        check(left == [], f"left behind: {left}")
        check("weir0" not in run("ip", "-o", "link"), "the TAP was left behind")

    def stop(self, number=signal.SIGINT):
        check(self.process.poll() is None, "weir ended by itself")
        self.process.send_signal(number)
        self.finish()


def weir_path():
    return os.environ["WEIR"]


def serve_on_tap(*arguments, interface="weir0", environment=None):
    """Starts `weir run echo` on a TAP, whose kernel's end gets an address."""
    weir = Weir("run", "echo", "--device", f"tap:{interface}", *arguments, environment=environment).wait_ready()
    run("ip", "address", "add", f"{KERNEL}/24", "dev", interface)
    return weir


def client(*arguments, timeout=PATIENCE, stack=STACK):
    """Runs the kernel's client to its end; returns what it printed."""
    return run(sys.executable, CLIENT, stack, "7", "--timeout", str(timeout), *map(str, arguments),
               timeout=timeout + PATIENCE)


def main(tests):
    """Runs the test that the command line names; --list names them all."""
    name = sys.argv[1] if len(sys.argv) > 1 else None
    if name == "--list":
        print(*tests, sep="\n")
        return
    if name not in tests:
        sys.exit(f"usage: WEIR=PATH {sys.argv[0]} TEST\ntests: {' '.join(tests)}")
    in_own_network()
    try:
        tests[name]()
    except (Failed, subprocess.TimeoutExpired) as failure:
        sys.exit(f"{name}: {failure}")
    print(f"{name}: ok")
