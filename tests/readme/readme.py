#!/usr/bin/python3
"""Installs the build into a directory of its own, builds the README's program against the installed weir.pc as the README
says to, and has the installed launcher list and run it."""
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile


def run(*command, **how):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **how)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(map(str, command))} exits with {done.returncode}:\n{done.stdout}")
    return done.stdout


def main(source, build):
    readme = (pathlib.Path(source) / "README.md").read_text(encoding="utf-8")
    program = re.search(r"```c\n(.*?)```", readme, re.S).group(1)
    with tempfile.TemporaryDirectory(prefix="weir-readme-") as name:
        root = pathlib.Path(name)
        run("meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", root)
        pc = next(root.rglob("weir.pc"))
        (root / "my-echo.c").write_text(program, encoding="utf-8")
        environment = dict(os.environ, PKG_CONFIG_PATH=str(pc.parent))
        # weir.pc names where it will be, not where it is now: only these two paths are moved
        flags = run("pkg-config", "--cflags", "--libs", "weir", env=environment)
        prefix = run("pkg-config", "--variable=prefix", "weir", env=environment).strip()
        flags = flags.replace(f"-I{prefix}", f"-I{root}{prefix}").replace(f"-L{prefix}", f"-L{root}{prefix}")
        run("gcc", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror", "-shared", "-fPIC", "-o",
            root / "weir-app-my-echo.so", root / "my-echo.c", *shlex.split(flags))
        launcher = root / prefix.lstrip("/") / "bin" / "weir"
        library = next(root.rglob("libweir.so.0")).parent
        apps = next(root.rglob("weir-app-echo.so")).parent
        installed = dict(os.environ, WEIR_PLUGIN_PATH=f"{root}:{apps}", LD_LIBRARY_PATH=str(library))
        listed = run(launcher, "list", env=installed)
        run(launcher, "run", "my-echo", "--device", f"memif:{root}/wire", "--duration", "0.1", env=installed)
    for app in ("my-echo", "echo"):
        if not re.search(rf"^\s*{app}\b", listed, re.M):
            sys.exit(f"the installed launcher does not list {app}:\n{listed}")
    print(f"the README's program of {len(program.splitlines())} lines builds against weir.pc, and runs")


if __name__ == "__main__":
    main(*sys.argv[1:])
