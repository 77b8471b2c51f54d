# compare: exact
# At each checkpoint everybody else who can run does, once, in turn.
import trio
from twin import run


async def walker(name, steps, shielded):
    for step in range(steps):
        print(name, step)
        if shielded:
            await trio.lowlevel.cancel_shielded_checkpoint()
        else:
            await trio.sleep(0)
    print(name, "done")


async def main():
    async with trio.open_nursery() as nursery:
        for index, name in enumerate("abcd"):
            nursery.start_soon(walker, name, index + 1, index % 2)
        print("main starts none of them")
        for _ in range(3):
            await trio.lowlevel.checkpoint()
            print("main")
        nursery.start_soon(walker, "e", 2, False)
    print("main done")


run(main)
