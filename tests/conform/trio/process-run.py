# compare: exact
import subprocess

import trio
from twin import name, run


async def main():
    done = await trio.run_process(["cat"], stdin=b"hello", capture_stdout=True)
    print("main:", done.returncode, done.stdout.decode())
    done = await trio.run_process(["sh", "-c", "exit 3"], check=False)
    print("main:", done.returncode)
    try:
        await trio.run_process(["sh", "-c", "exit 3"])
    except subprocess.CalledProcessError as error:
        print("main:", name(error))
    done = await trio.run_process(["sh", "-c", "echo out; echo err >&2"], capture_stdout=True, capture_stderr=True)
    print("main:", done.stdout.decode().strip(), done.stderr.decode().strip())


run(main)
