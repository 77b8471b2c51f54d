# compare: exact
# A scope closed before one that was opened inside it is an error for who closes it, and the task goes on outside both.
import trio
from twin import run


def close(scope):
    try:
        scope.__exit__(None, None, None)
        return "ok"
    except RuntimeError:
        return "refused"


async def main():
    outer, inner = trio.CancelScope(), trio.CancelScope()
    outer.__enter__()
    inner.__enter__()
    print("outer first:", close(outer))
    outer.cancel()
    await trio.sleep(1)
    print("goes on", trio.current_time())
    inner.__exit__(None, None, None)  # Trio keeps still here, having said it once; ours says it again
    scope = trio.CancelScope()
    scope.__enter__()
    print("once:", close(scope))
    print("twice:", close(scope))
    # of another task
    scope = trio.CancelScope()

    async def other():
        print("another's:", close(scope))

    async with trio.open_nursery() as nursery:
        with scope:
            nursery.start_soon(other)
            await trio.sleep(1)
    print("goes on", trio.current_time())


run(main)
