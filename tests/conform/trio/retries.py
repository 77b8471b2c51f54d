# compare: exact
# move_on_after in a loop: each round is a scope of its own.
import trio
from twin import run


async def request(takes):
    await trio.sleep(takes)
    return takes


async def main():
    patience = 1
    for attempt in range(5):
        with trio.move_on_after(patience) as scope:
            print("answer", await request(6))
            break
        print("attempt", attempt, "gave up", scope.cancelled_caught, trio.current_time())
        patience *= 2
        await trio.sleep(0.5)
    print("done", scope.cancelled_caught, trio.current_time())
    # under one limit for all of them
    with trio.move_on_after(5) as whole:
        for attempt in range(5):
            with trio.move_on_after(2):
                await request(9)
            print("again", attempt, trio.current_time())
    print("whole", whole.cancelled_caught, attempt, trio.current_time())


run(main)
