# compare: exact
import trio
from twin import name, run


def plain(x):
    print("loop: plain", x)
    return x + 1


async def task(x):
    print("loop: task", x)
    await trio.sleep(0)
    return x + 2


async def failing():
    await trio.sleep(0)
    raise OSError(5, "eio")


def work():
    print("thread:", trio.from_thread.run_sync(plain, 1))
    print("thread:", trio.from_thread.run(task, 1))
    try:
        trio.from_thread.run(failing)
    except OSError as error:
        print("thread:", name(error))
    return 9


async def main():
    print("main:", await trio.to_thread.run_sync(work))


run(main)
