# compare: exact shuffled
# Task-locals: as they were when the task was started, by whoever started it.
import contextvars

import trio
from twin import run

user = contextvars.ContextVar("user", default="nobody")
color = contextvars.ContextVar("color", default="none")


async def child(who):
    print(f"{who}: starts as", user.get(), color.get())
    await trio.sleep(1)
    print(f"{who}: is still", user.get())
    user.set(who)
    await trio.sleep(1)
    print(f"{who}: is now", user.get(), color.get())


async def starter(nursery):
    user.set("starter")
    nursery.start_soon(child, "by-starter")


async def reporter(task_status=trio.TASK_STATUS_IGNORED):
    print("reporter: starts as", user.get())
    user.set("reporter")
    task_status.started()
    print("reporter: reports as", user.get())


async def main():
    print("main:", user.get(), color.get())
    user.set("main")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(child, "early")
        user.set("changed")
        color.set("green")
        nursery.start_soon(child, "late")
        nursery.start_soon(starter, nursery)
        await nursery.start(reporter)
        print("main: after start", user.get())
        token = user.set("block")
        nursery.start_soon(child, "in-block")
        color.set("red")
        await trio.sleep(0.5)
        user.reset(token)
        print("main: after the block", user.get(), color.get())
        nursery.start_soon(child, "behind-block")
    print("main:", user.get(), color.get())


run(main)
