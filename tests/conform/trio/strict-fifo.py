# compare: exact shuffled
# Chunks are sent in the order in which the state machine made them.
import trio
from twin import run


async def sender(who, start, lock, log):
    await trio.sleep(start)
    chunk = len(log)
    log.append(who)
    async with lock:
        print(f"{who}: chunk {chunk} begins {trio.current_time():.1f}")
        await trio.sleep(1 / (1 + chunk))
        print(f"{who}: chunk {chunk} ends {trio.current_time():.2f}")


async def main():
    lock = trio.StrictFIFOLock()
    log = []
    async with trio.open_nursery() as nursery:
        for who, start in ("x", 0.3), ("y", 0.1), ("z", 0.2):
            nursery.start_soon(sender, who, start, lock, log)
        await trio.sleep(0.5)
        print("main:", lock.locked(), lock.statistics().tasks_waiting)
    print("main:", "".join(log), lock.locked(), lock.statistics().owner)


run(main)
