# compare: exact shuffled
# Trio's reference, "Custom supervisors": the first to have a result wins, and the others are cancelled.
import trio
from twin import enoent, name, run


async def race(*runners):
    result = None

    async def jockey(runner, scope):
        nonlocal result
        won = await run_one(*runner)
        if result is None:
            result = won
            scope.cancel()

    async with trio.open_nursery() as nursery:
        for runner in runners:
            nursery.start_soon(jockey, runner, nursery.cancel_scope)
    return result


async def run_one(who, seconds, fails=False):
    try:
        await trio.sleep(seconds)
    except trio.Cancelled as error:
        print(f"{who}:", name(error), trio.current_time())
        raise
    if fails:
        raise enoent()
    print(f"{who}: arrives", trio.current_time())
    return who


async def main():
    print("main:", await race(("a", 3), ("b", 2), ("c", 4)), trio.current_time())
    print("main:", await race(("a", 3)), trio.current_time())
    print("main:", await race(), trio.current_time())
    with trio.move_on_after(1) as scope:
        await race(("a", 3), ("b", 2))
    print("main:", scope.cancelled_caught, trio.current_time())
    try:
        await race(("a", 3), ("b", 2, True))
    except BaseException as error:
        print("main:", name(error), trio.current_time())


run(main)
