# compare: exact shuffled
# What is refused: acquiring twice, releasing what is not one's own.
import trio
from twin import name, run


def release(who, lock):
    try:
        lock.release()
        print(f"{who}: released")
    except Exception as error:
        print(f"{who}:", name(error))


async def stranger(lock):
    release("stranger", lock)


async def main():
    for lock in trio.Lock(), trio.StrictFIFOLock():
        release("main", lock)
        await lock.acquire()
        try:
            await lock.acquire()
        except Exception as error:
            print("main:", name(error))
        try:
            lock.acquire_nowait()
        except Exception as error:
            print("main:", name(error))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stranger, lock)
        release("main", lock)


run(main)
