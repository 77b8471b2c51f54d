"""Goodput on a bad wire: Weir as the sender beside the kernel's CUBIC, each to the kernel as the receiver, over the same
fault device with the same seed: the n-th packet of either has the same fate."""
import contextlib
import itertools
import json
import statistics
import sys
import time

from processes import Broken

SENDER, RECEIVER, PREFIX, PORT = "192.0.2.2", "192.0.2.1", "/24", 19
STREAMS = 8
# name: (in words, what the wire does, whether issue 4 asks for Weir to be no slower)
CASES = {
    "loss-0.1": ("0.1 % loss, 20 ms", "loss=0.001,delay=10ms", False),
    "loss-1": ("1 % loss, 20 ms", "loss=0.01,delay=10ms", True),
    "loss-5": ("5 % loss, 20 ms", "loss=0.05,delay=10ms", False),
    "loss-10": ("10 % loss, 20 ms", "loss=0.1,delay=10ms", False),
    "reorder": ("1 % loss, 5 % out of order, 20 ms", "loss=0.01,reorder=0.05,delay=10ms", False),
}
SUBJECTS = ("weir", "cubic")


class Wire:
    """Makes the two senders, each on a wire of its own, and measures what reaches the receiver."""

    def __init__(self, house, build, seconds):
        self.house, self.build, self.seconds = house, build, seconds
        self.peer = [sys.executable, __file__.replace("loss_rows", "loss_peer")]
        self.serial = itertools.count()

    def wait_said(self, process, name, what):
        """Waits until what a process writes to its log says something."""
        deadline = time.monotonic() + 20
        while what not in self.house.log_of(name):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Broken(f"{name} does not start:\n{self.house.log_of(name)}")
            time.sleep(0.01)

    def receive(self, space):
        command = [*space.words, *self.peer, "receive", SENDER, PORT, STREAMS, self.seconds]
        with self.house.answer_of("receiver", command, self.seconds + 60) as answer:
            return json.loads(answer)

    def weir(self, faults):
        with self.house.space() as space:
            command = [*space.words, "env", f"WEIR_PLUGIN_PATH={self.build / 'tests' / 'bench'}",
                       self.build / "apps" / "weir", "run", "chargen", "--device", "tap:wire", "--address",
                       SENDER + PREFIX, "--fault", faults]
            with self.house.running("weir", command) as weir:
                self.wait_said(weir, "weir", "chargen: port")
                space.ip("addr", "add", RECEIVER + PREFIX, "dev", "wire")
                return self.receive(space)

    def cubic(self, faults):
        with contextlib.ExitStack() as all_of_it:
            near, far = (all_of_it.enter_context(self.house.space()) for _ in range(2))
            bridge = [*near.words, self.build / "tests" / "bench" / "tap-bridge", "far", "wire", faults]
            running = all_of_it.enter_context(self.house.running("bridge", bridge))
            self.wait_said(running, "bridge", "ready")
            near.ip("link", "set", "far", "netns", far.name)
            for space, device, address in ((far, "far", SENDER), (near, "wire", RECEIVER)):
                space.ip("addr", "add", address + PREFIX, "dev", device)
                space.ip("link", "set", device, "up")
            sender = [*far.words, *self.peer, "send", SENDER, PORT, "cubic"]
            running = all_of_it.enter_context(self.house.running("sender", sender))
            self.wait_said(running, "sender", "ready")
            return self.receive(near)


def measure(house, options, progress):
    """Returns {case: {subject: [what each round said]}}."""
    wire = Wire(house, options.build, options.seconds)
    results = {case: {subject: [] for subject in SUBJECTS} for case in options.only or CASES}
    for number in range(options.rounds):
        for case, said in results.items():
            # A B, then B A: whatever drifts in the host falls on both alike.
            for subject in SUBJECTS if number % 2 == 0 else reversed(SUBJECTS):
                progress(f"round {number + 1} of {options.rounds}: {case}, {subject}")
                said[subject].append(getattr(wire, subject)(f"{CASES[case][1]},seed={number + 1}"))
    progress("")
    return results


def megabits(samples):
    return [one["rate"] * 8e-6 for one in samples]


def bench(house, options, progress, print_table):
    results = measure(house, options, progress)
    rows = [["", "Weir Mbit/s", "range", "kernel's CUBIC", "range", "Weir/", "at least 1"]]
    for case, said in results.items():
        ours, theirs = (megabits(said[subject]) for subject in SUBJECTS)
        ratio = statistics.median(a / b for a, b in zip(ours, theirs))
        said["ratio"] = ratio
        asked = ("met" if ratio >= 1 else "MISSED") if CASES[case][2] else ""
        rows.append([CASES[case][0], f"{statistics.median(ours):.1f}", f"{min(ours):.1f}-{max(ours):.1f}",
                     f"{statistics.median(theirs):.1f}", f"{min(theirs):.1f}-{max(theirs):.1f}", f"{ratio:.2f}", asked])
    print_table(rows)
    print(f"\nGoodput of {STREAMS} connections together, medians of {options.rounds} rounds of {options.seconds:g} s, in "
          "turns; a ratio is the median of the ratios within a round.\nLoss each way, round trip; no bottleneck. The "
          "receiver is the kernel's, over a TAP; the fault device and its seed are the same for both\nsenders: the "
          "n-th packet has the same fate. The kernel's sender goes through tests/bench/bridge.c.")
    return results
