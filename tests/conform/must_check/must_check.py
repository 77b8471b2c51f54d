#!/usr/bin/python3
"""What a forgotten `await` is in Python is here a compiler warning (DESIGN section 3).

must_check.py INCLUDES COMPILER...    a program with such a call does not compile where warnings are errors, the repaired
                                      one does; and every function of the public headers that says "Checkpoint: always"
                                      is marked so
"""
import os
import pathlib
import re
import subprocess
import sys

# What these answer may be left unread: whatever it is, the thing is closed.
UNREAD = {"weir_stream_close", "weir_stream_close_forcefully", "weir_process_close", "weir_file_close"}
HERE = pathlib.Path(__file__).resolve().parent


def compile_broken(compiler, includes, *more):
    command = [*compiler, "-std=gnu11", "-c", "-o", os.devnull, "-Werror=unused-result", f"-I{includes}", *more,
               str(HERE / "broken-double-sleep.c")]
    return subprocess.run(command, capture_output=True, text=True)


def blocking(header):
    """The functions whose comment says that they are always a checkpoint, and whether they may be called without a look
    at what they answer. Macros are left out: what they call is marked."""
    text = re.sub(r"/\* ----.*?---- \*/", "", header.read_text())
    for comment, declarations in re.findall(r"(/\*(?:[^*]|\*(?!/))*\*/)\n((?:[^\n/#][^\n]*\n)+)", text):
        if "Checkpoint: always" not in " ".join(comment.replace("\n *", " ").split()):
            continue
        for declaration in re.split(r";\s*", declarations):
            name = re.search(r"\b(weir_\w+)\(", declaration)
            if name:
                yield name.group(1), declaration.lstrip().startswith("WEIR_MUST_CHECK")


def main(includes, *compiler):
    failures = []
    broken, repaired = compile_broken(compiler, includes), compile_broken(compiler, includes, "-DREPAIRED")
    if broken.returncode == 0 or "unused-result" not in broken.stderr or "weir_sleep" not in broken.stderr:
        failures.append("a forgotten check compiles: " + broken.stderr)
    if repaired.returncode != 0:
        failures.append("what is checked does not compile: " + repaired.stderr)
    calls = dict(call for header in sorted(pathlib.Path(includes, "weir").glob("*.h")) for call in blocking(header))
    failures += [f"{name} is always a checkpoint, but not WEIR_MUST_CHECK" for name in calls
                 if not calls[name] and name not in UNREAD]
    if "weir_sleep" not in calls or "weir_receive" not in calls:
        failures.append(f"found only {list(calls)}: is this the right folder?")
    print("\n".join(failures) if failures else f"{len(calls)} blocking calls, none to be forgotten: {' '.join(calls)}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
