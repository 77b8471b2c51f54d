"""scripts/bench core: Weir's tasks beside those of others, program by program in turns, on one core."""
import json
import statistics

from processes import Broken

CORE = 1

ROWS = {
    "bare": "bare switch, there and back: the floor",
    "yield-2": "yield, 2 tasks, there and back",
    "switch-100": "a switch, 100 tasks runnable",
    "switch-1000": "a switch, 1,000 tasks runnable",
    "switch-100000": "a switch, 100,000 tasks runnable",
    "spawn-1": "spawn and join, one in a nursery",
    "spawn-64": "spawn and join, each of 64",
    "channel-0": "channel, capacity 0, a message",
    "channel-128": "channel, capacity 128, a message",
}

# What each is called, and its program in the build's tests/bench (a script: in the source's).
OURS, SHARED = "Weir", "by calls"
PEERS = {
    "Boost.Context": "peers/boost_context",
    "Boost.Fiber": "peers/boost_fiber",
    "State Threads": "peers/state_threads",
    "Go": "peers/go_runtime",
    "Trio": "peers/trio_tasks.py",
}

NOTES = """\
Nanoseconds of processor time, medians over {rounds} rounds, in turns; "to the floor" and what stands under a peer are
medians of ratios within a round: 2.0 under a peer says that it takes twice as long as Weir does.
by calls: the same program linked with libweir.so, as a plugin is; Weir itself is measured with link-time optimisation.
Boost.Context has neither scheduler nor channels: its fibers take turns in a ring of their own. State Threads has
neither yield nor channels: both are made of its condition variables, capacity 0 as one place. Boost.Fiber launches
one by `dispatch`, many by `post`, whichever is the faster. Go has one P. The stacks of all but Go are of 64 KiB."""


def programs(build, source):
    """Returns the commands of those that are there, by name, and the names of those that are not."""
    found, missing = {}, []
    for name, path in {OURS: "core-bench", **PEERS, SHARED: "core-bench-shared"}.items():
        if path.endswith(".py"):
            found[name] = ["/usr/bin/python3", source / path]
        elif (build / path).exists():
            found[name] = [build / path]
        else:
            missing.append(name)
    return found, missing


def measure(house, found, options, progress):
    """Returns {program: {row: [a sample a round]}}. A program that fails is left out."""
    samples = {name: {} for name in found}
    for number in range(options.rounds):
        # A B C D, then D C B A: whatever drifts in the host falls on all alike.
        for name in list(samples) if number % 2 == 0 else list(reversed(samples)):
            progress(f"round {number + 1} of {options.rounds}: {name}")
            command = ["taskset", "-c", CORE, *found[name], 1, *(options.only or [])]
            try:
                with house.answer_of(name, command, 120) as answer:
                    said = json.loads(answer)
            except Broken:
                if name == OURS:
                    raise
                progress("")
                print(f"{name} did not run, and is left out:\n{house.log_of(name)}")
                del samples[name]
                continue
            for row, values in said.items():
                samples[name].setdefault(row, []).extend(values)
    progress("")
    return samples


def over(samples, one, other):
    """The median of one row's time over another's in the same round, rows given as (program, row); None: not there."""
    pair = [samples.get(name, {}).get(row) for name, row in (one, other)]
    if None in pair:
        return None
    return statistics.median(a / b for a, b in zip(*pair))


def number(value, form=".1f"):
    return "-" if value is None else f"{value:{form}}"


def median(samples, name, row):
    values = samples.get(name, {}).get(row)
    return None if values is None else statistics.median(values)


def table(samples):
    peers = [name for name in PEERS if name in samples]
    rows = [["", "ns", "range", "to the floor", *([SHARED] if SHARED in samples else []), *peers]]
    for row, values in samples[OURS].items():
        line = [ROWS[row], number(median(samples, OURS, row)), f"{min(values):.1f}-{max(values):.1f}",
                number(over(samples, (OURS, row), (OURS, "bare")), ".2f")]
        if SHARED in samples:
            line.append(number(median(samples, SHARED, row)))
        line += [number(over(samples, (peer, row), (OURS, row)), ".1f") for peer in peers]
        rows.append(line)
    return rows


def targets(samples):
    """What issue 3 asks for: (in words, what was seen, whether it is met)."""
    def times(row, limit, ns=OURS):
        value = median(samples, ns, row)
        return (f"{ROWS[row]}: at most {limit} ns", value, limit)

    asked = [
        ("yield there and back: at most 2 x the floor", over(samples, (OURS, "yield-2"), (OURS, "bare")), 2),
        ("the same by calls", over(samples, (SHARED, "yield-2"), (SHARED, "bare")), 2),
        ("100,000 runnable tasks: at most 3 x a switch of 1,000",
         over(samples, (OURS, "switch-100000"), (OURS, "switch-1000")), 3),
        times("spawn-1", 30), times("spawn-64", 30), times("channel-0", 30), times("channel-128", 10),
    ]
    for words, value, limit in asked:
        if value is not None:
            yield words, f"{value:.2f}", value <= limit
    for peer in PEERS:
        ratios = {row: over(samples, (peer, row), (OURS, row)) for row in ROWS if row != "bare"}
        ratios = {row: ratio for row, ratio in ratios.items() if ratio is not None}
        if ratios:
            least = min(ratios, key=ratios.get)
            yield f"faster than {peer} in each row", f"least: {ratios[least]:.2f} x, {ROWS[least]}", ratios[least] > 1


def bench(house, options, progress, print_table):
    bench_source = options.source / "tests" / "bench"
    found, missing = programs(options.build / "tests" / "bench", bench_source)
    samples = measure(house, found, options, progress)
    print_table(table(samples))
    print()
    print(NOTES.format(rounds=options.rounds))
    if missing:
        print(f"Not there, and so not measured: {', '.join(missing)}.")
    print()
    print_table([[words, seen, "met" if met else "MISSED"] for words, seen, met in targets(samples)])
    return samples
