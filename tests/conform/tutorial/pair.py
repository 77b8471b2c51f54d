#!/usr/bin/python3
"""Runs the tutorial's echo client and server, two processes on a memif, and compares what they print with what the
tutorial's do: what must come in order, in order. Then the server is interrupted, as the tutorial says to try."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

DATA = "b'async can sometimes be confusing, but I believe in you!'"
ROUNDS = 2


def start(weir, app, device, plugins, *more):
    return subprocess.Popen([weir, "run", app, "--device", device, "--quiet", *more], text=True, stdout=subprocess.PIPE,
                            env=dict(os.environ, WEIR_PLUGIN_PATH=plugins))


def check(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: expected\n  " + "\n  ".join(expected) + "\nbut found\n  " + "\n  ".join(found))


def mine(lines, who):
    return [line for line in lines if line.startswith(who)]


def main(weir, plugins):
    with tempfile.TemporaryDirectory(prefix="weir-tutorial-") as directory:
        path = pathlib.Path(directory) / "memif.sock"
        server = start(weir, "tutorial-echo-server", f"memif:{path}", plugins)
        while not path.exists() and server.poll() is None:
            time.sleep(0.01)  # a client of a memif must find its server
        client = start(weir, "tutorial-echo-client", f"memif-client:{path}", plugins)
        try:
            lines = []
            for line in client.stdout:  # until the last round has come back; then the server's Ctrl-C
                lines.append(line.rstrip("\n"))
                if len(mine(lines, "receiver: got")) == ROUNDS and server.poll() is None:
                    server.send_signal(signal.SIGINT)
            served = server.stdout.read().splitlines()
            statuses = [client.wait(20), server.wait(20)]
        finally:
            for process in (client, server):
                if process.poll() is None:
                    process.kill()
                    process.wait()
    check("exit statuses", [str(status) for status in statuses], ["0", "0"])
    check("the parent", mine(lines, "parent"), ["parent: connecting to 192.0.2.2:12345", "parent: spawning sender...",
                                               "parent: spawning receiver..."])
    check("the sender", mine(lines, "sender"), ["sender: started!"] + [f"sender: sending {DATA}"] * ROUNDS)
    check("the receiver", mine(lines, "receiver"), ["receiver: started!"] + [f"receiver: got data {DATA}"] * ROUNDS
          + ["receiver: connection closed"])
    check("the server", served, ["echo_server 0: started"] + [f"echo_server 0: received data {DATA}"] * ROUNDS)
    print("the tutorial's echo client and server print what the tutorial says")


if __name__ == "__main__":
    main(*sys.argv[1:])
