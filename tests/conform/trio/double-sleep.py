# compare: exact
# The tutorial's double_sleep(3), and the talk's double(3).
import trio
from twin import run


async def double(x):
    return x * 2


async def double_sleep():
    await trio.sleep(2 * 3)
    print("now", trio.current_time())
    print("double", await double(3))


run(double_sleep)
