#!/usr/bin/python3
"""Runs each program of tests/conform/trio (or asyncio) and its Python twin, and compares line by line.

run.py FOLDER PROGRAM...    the folder with the twins, called as the library that they use; the built programs, named as
                            they are

A twin says how it is to be compared in its first line:
  # compare: exact             in first-in, first-out order, every line in its place
  # compare: exact shuffled    that, and in shuffled orders each task's own lines (by what stands before the colon;
                               those without one are all one task's)
  # compare: tasks shuffled    each task's own lines only: here a call that need not wait switches in Trio and not in Weir
Answers 0, 1 if something differs, 77 without the library (Debian's python3-trio).
"""
import contextlib
import importlib
import io
import os
import pathlib
import runpy
import shlex
import subprocess
import sys

WRAPPER = shlex.split(os.environ.get("MESON_EXE_WRAPPER", ""))  # the emulator, where the programs need one
SEEDS = range(1, 2 if WRAPPER else 9)
LINES_MIN = 3


def by_task(lines):
    tasks = {}
    for line in lines:
        who, colon, _ = line.partition(":")
        tasks.setdefault(who.strip() if colon else None, []).append(line)
    return tasks


def run_python(twin):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        runpy.run_path(str(twin), run_name="__main__")
    return out.getvalue().splitlines()


def run_weir(program):
    done = subprocess.run([*WRAPPER, program], capture_output=True, text=True, timeout=30)
    lines = done.stdout.splitlines()
    if done.returncode != 0 or done.stderr:
        lines.append(f"exit status {done.returncode}, stderr: {done.stderr.strip()}")
    return lines


def differ(title, ours, library, theirs):
    print(f"{title}: differs\n  Weir:")
    print("".join(f"    {line}\n" for line in ours), end="")
    print(f"  {library}:")
    print("".join(f"    {line}\n" for line in theirs), end="")
    return 1


def compare(program, twin, seed, exact):
    if seed is None:
        os.environ.pop("SEED", None)
    else:
        os.environ["SEED"] = str(seed)
    ours, theirs = run_weir(program), run_python(twin)
    if len(theirs) < LINES_MIN:
        print(f"{twin.stem}: says too little to be compared")
        return 1
    if (ours == theirs) if exact else (by_task(ours) == by_task(theirs)):
        return 0
    return differ(f"{twin.stem}, seed {seed}", ours, twin.parent.name, theirs)


def without_a_twin(folder, programs):
    """Each program has both forms, and is among those to be run; returns how many are not."""
    built = {pathlib.Path(program).name for program in programs}
    there = {path.stem for path in pathlib.Path(folder).iterdir() if path.suffix in (".c", ".py")} - {"twin", "flow"}
    whole = {name for name in there if all((pathlib.Path(folder) / (name + suffix)).exists() for suffix in (".c", ".py"))}
    odd = (there | built) - (whole & built)
    for name in sorted(odd):
        print(f"{name}: has no twin, or is not in meson.build's list")
    return len(odd)


def main(folder, programs):
    library = pathlib.Path(folder).name
    try:
        importlib.import_module(library)
    except ImportError:
        print(f"no Python library {library} here: nothing to compare with")
        return 77
    sys.path.insert(0, folder)
    failures = without_a_twin(folder, programs)
    for program in programs:
        twin = pathlib.Path(folder) / (pathlib.Path(program).name + ".py")
        how = twin.read_text().splitlines()[0].removeprefix("# compare: ").split()
        failed = compare(program, twin, None, "exact" in how)
        if "shuffled" in how:
            failed += sum(compare(program, twin, seed, False) for seed in SEEDS)
        print(f"{twin.stem}: {'FAILED' if failed else 'ok'}")
        failures += failed > 0
    print(f"{len(programs)} programs, {failures} differ")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
