# compare: exact shuffled
import trio
from twin import name, run


def attempt(what, *args, **kwargs):
    try:
        what(*args, **kwargs)
        print("main: ok")
    except Exception as error:
        print("main:", name(error))


async def main():
    attempt(trio.Semaphore, 3, max_value=2)
    attempt(trio.Semaphore, 2, max_value=2)
    semaphore = trio.Semaphore(1, max_value=2)
    print("main:", semaphore.value, semaphore.max_value)
    attempt(semaphore.release)
    attempt(semaphore.release)
    attempt(semaphore.acquire_nowait)
    attempt(semaphore.acquire_nowait)
    attempt(semaphore.acquire_nowait)
    attempt(semaphore.release)
    print("main:", semaphore.value)


run(main)
