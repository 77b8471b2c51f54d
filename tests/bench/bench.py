#!/usr/bin/python3
"""Measures Weir beside others on this machine, in turns, because only ratios within one run mean anything.

  scripts/bench         echo servers over a memif, one core each side: Weir; testpmd's 5tswap (no stack at all: it swaps
                        addresses); the generator's own stackless reflector (the generator's ceiling); and the kernel's
                        epoll server and client over a veth
  scripts/bench core    tasks: switch, spawn, channels, beside a bare switch between two stacks, and beside Boost.Context,
                        Boost.Fiber, State Threads, Go and Trio; says which of issue 3's targets are met
  scripts/bench loss    goodput on a wire that loses packets: Weir beside the kernel's CUBIC, same wire, same seed
"""
import argparse
import contextlib
import json
import os
import pathlib
import signal
import statistics
import sys
import time

import core_rows
import loss_rows
from processes import Broken, House

EAL = ["--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "512"]
SERVER_CORE, LOAD_CORE = 1, 0
SERVER_MAC = "02:00:00:00:00:01"

# name: (in words, the generator's mode and options, the kernel's client's or None, those for testpmd or None)
CASES = {
    "tcp-1": ("TCP 64 B, 1 connection", ["tcp", "-c1"], ["-c1"], ["udp", "-c1"]),
    "tcp-64": ("TCP 64 B, 64 connections", ["tcp", "-c64"], ["-c64"], ["udp", "-c64"]),
    "tcp-1000": ("TCP 64 B, 1000 connections", ["tcp", "-c1000"], ["-c1000"], ["udp", "-c1000"]),
    "tcp-1448": ("TCP 1448 B, 64 connections", ["tcp", "-c64", "-s1448"], ["-c64", "-s1448"],
                 ["udp", "-c64", "-s1448"]),
    "crr-64": ("connect + 64 B + close, 64 at a time", ["crr", "-c64"], ["-c64", "--crr"], None),
    "udp-64": ("UDP 64 B, 64 flows, 4 outstanding each", ["udp", "-c64", "-d4"], None, ["udp", "-c64", "-d4"]),
}


class Echo:
    """The four subjects. Each takes a case and returns what the client's JSON line said."""

    def __init__(self, house, build, seconds):
        self.house, self.build, self.seconds = house, build, seconds
        self.bench = build / "tests" / "bench"
        self.spaces = None
        self.serial = 0

    def memif(self, role, core):
        self.serial += role == "server"
        socket = self.house.directory / f"{self.serial}.sock"
        return socket, ["--lcores", f"0@{core}", *EAL, "--file-prefix", f"weir-bench-{os.getpid()}-{role}",
                        "--vdev", f"net_memif0,role={role},id=0,socket={socket},socket-abstract=no"]

    def served(self, name, command, socket, words):
        """Runs a server, and the generator on it. The server ends first: one that polls while its memif's other side
        leaves can crash in DPDK 22.11's driver."""
        with contextlib.ExitStack() as both:
            server = both.enter_context(self.house.running(name, command))
            self.house.wait_for(socket, server, name)
            _, eal = self.memif("client", LOAD_CORE)
            load = [self.bench / "weir-load", *words, "--linger", "-t", self.seconds, "--", *eal]
            with self.house.answer_of(f"weir-load on {name}", load, self.seconds + 30) as answer:
                if server.poll() is not None:
                    raise Broken(f"{name} ended by itself with {server.returncode}:\n{self.house.log_of(name)}")
                both.close()
            return json.loads(answer)

    def weir(self, case):
        socket, eal = self.memif("server", SERVER_CORE)
        command = [self.build / "apps" / "weir", "run", "echo", *eal, "--", "--address", "10.0.0.1/24", "--quiet"]
        return self.served("weir", command, socket, CASES[case][1])

    def reflector(self, case):
        socket, eal = self.memif("server", SERVER_CORE)
        command = [self.bench / "weir-load", "reflect", "-a", "10.0.0.1", "--", *eal]
        return self.served("reflector", command, socket, CASES[case][1])

    def testpmd(self, case):
        if CASES[case][3] is None:
            return None
        socket, eal = self.memif("server", SERVER_CORE)
        # Its main lcore sleeps in read(); a second one on the same core forwards.
        eal[1] = f"0@{SERVER_CORE},1@{SERVER_CORE}"
        command = ["dpdk-testpmd", *eal, "--", "--forward-mode=5tswap", "--total-num-mbufs=32768", "--no-mlockall",
                   "--auto-start"]
        return self.served("testpmd", command, socket, [*CASES[case][3], "--server-mac", SERVER_MAC])

    def kernel(self, case):
        if CASES[case][2] is None:
            return None
        if self.spaces is None:
            self.spaces = self.house.veth()
        server, client = self.spaces
        pinned = [["taskset", "-c", str(core)] for core in (SERVER_CORE, LOAD_CORE)]
        with self.house.running("epoll", [*server, *pinned[0], self.bench / "epoll-echo", "server", "-a", "10.0.0.1"]):
            load = [*client, *pinned[1], self.bench / "epoll-echo", "client", "-a", "10.0.0.1", "-t", self.seconds]
            with self.house.answer_of("epoll-load", [*load, *CASES[case][2]], self.seconds + 30) as answer:
                return json.loads(answer)


SUBJECTS = ("weir", "testpmd", "reflector", "kernel")


def measure_echo(house, options):
    """Returns {case: {subject: [what each round said]}}; a subject that cannot do a case is left out."""
    echo = Echo(house, options.build, options.seconds)
    results = {case: {} for case in options.only or CASES}
    for number in range(options.rounds):
        for case, said in results.items():
            # A B C D, then D C B A: whatever drifts in the host falls on all alike.
            for subject in SUBJECTS if number % 2 == 0 else reversed(SUBJECTS):
                progress(f"round {number + 1} of {options.rounds}: {case}, {subject}")
                one = getattr(echo, subject)(case)
                if one is not None:
                    said.setdefault(subject, []).append(one)
    progress("")
    return results


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def median(rounds, key="rate"):
    return statistics.median(one[key] for one in rounds)


def ratio(said, subject):
    """The median of Weir's rate over a subject's in the same round."""
    if subject not in said:
        return None
    return statistics.median(ours["rate"] / theirs["rate"] for ours, theirs in zip(said["weir"], said[subject]))


def millions(rate):
    return f"{rate / 1e6:.3f}" if rate < 1e6 else f"{rate / 1e6:.2f}"


def wrong(results):
    """What went wrong on the wire, in all."""
    every = [one for said in results.values() for rounds in said.values() for one in rounds]
    return {key: sum(one.get(key, 0) for one in every)
            for key in ("retransmits", "resets", "bad_tags", "bad_cksums", "tx_dropped")}


def row_of(case, said):
    weir = said["weir"]
    rates = [one["rate"] for one in weir]
    row = [CASES[case][0], millions(median(weir)), f"{millions(min(rates))}-{millions(max(rates))}",
           f"{median(weir, 'p50_us'):.1f}", f"{median(weir, 'p99_us'):.1f}"]
    for subject in ("testpmd", "kernel", "reflector"):
        row.append(millions(median(said[subject])) if subject in said else "-")
        row.append(f"{ratio(said, subject):.2f}" if subject in said else "-")
    row.append(f"{100 * median(weir, 'busy'):.0f} %")
    return row


HEADER = ["", "Weir M/s", "range", "p50 us", "p99 us", "testpmd", "Weir/", "kernel", "Weir/", "ceiling", "Weir/",
          "generator busy"]


def print_table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) if column == 0 else cell.rjust(width)
                        for column, (cell, width) in enumerate(zip(row, widths))).rstrip())


def report_echo(results, options):
    print_table([HEADER] + [row_of(case, said) for case, said in results.items()])
    print(f"\nMillions of requests answered a second, medians of {options.rounds} rounds of {options.seconds:g} s, in "
          "turns; a ratio is the median of the ratios within a round.\n"
          "testpmd: 5tswap, as many frames of the same payload outstanding, no stack. kernel: epoll at both ends of a "
          "veth.\nceiling: the same generator on a stackless reflector; \"generator busy\" is its share of turns with "
          "work while it loaded Weir.")
    counts = wrong(results)
    print("On the wire, in all rounds: " + ", ".join(f"{n} {key.replace('_', ' ')}" for key, n in counts.items()))
    return {case: {"rounds": said, "ratio": {subject: ratio(said, subject) for subject in said if subject != "weir"}}
            for case, said in results.items()}


def parse():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["echo", "core", "loss"], default="echo")
    parser.add_argument("--rounds", type=int, default=5, help="of each, in turns (5)")
    parser.add_argument("--seconds", type=float, help="that each measurement takes (echo: 1, loss: 10)")
    parser.add_argument("--only", action="append", choices=[*CASES, *core_rows.ROWS, *loss_rows.CASES],
                        help="one case (of core: a row); may be given several times")
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not set(options.only or []) <= set({"echo": CASES, "core": core_rows.ROWS, "loss": loss_rows.CASES}[options.what]):
        parser.error("--only: echo, core and loss have cases of their own")
    if options.seconds is None:
        options.seconds = 10.0 if options.what == "loss" else 1.0
    options.source = pathlib.Path(__file__).resolve().parents[2]
    options.build = options.build.resolve()
    return options


def stop(*_):
    raise KeyboardInterrupt


def main():
    options = parse()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    if os.cpu_count() < 2:
        print("scripts/bench: needs two cores, one each side", file=sys.stderr)
        return 1
    started = time.strftime("%Y-%m-%d %H:%M:%S")
    try:
        with House() as house:
            if options.what == "core":
                result = core_rows.bench(house, options, progress, print_table)
            elif options.what == "loss":
                result = loss_rows.bench(house, options, progress, print_table)
            else:
                result = report_echo(measure_echo(house, options), options)
    except (Broken, OSError) as broken:
        print(f"\nscripts/bench: {broken}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nscripts/bench: stopped", file=sys.stderr)
        return 130
    path = pathlib.Path("build/bench.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"what": options.what, "started": started, "seconds": options.seconds,
                                "result": result}))
    print(f"All samples: {path}")
    return 0


sys.exit(main())
