# compare: exact shuffled
# Attempts are begun one after another, the next when the one before fails or has had its time; the first to succeed
# ends the others.
import trio
from twin import run

DELAY = 1


async def connect(target):
    seconds, works = target
    await trio.sleep(seconds)
    if not works:
        raise OSError(111, "refused")


async def attempt(which, targets, nursery, winner, failed_before):
    if which > 0:
        with trio.move_on_after(DELAY):
            await failed_before.wait()
    if which + 1 < len(targets):
        failed = trio.Event()
        nursery.start_soon(attempt, which + 1, targets, nursery, winner, failed)
    print(f"{which}: begins", f"{trio.current_time():.2f}")
    try:
        await connect(targets[which])
        print(f"{which}: connected", f"{trio.current_time():.2f}")
        winner.append(which)
        nursery.cancel_scope.cancel()
    except OSError:
        print(f"{which}: failed", f"{trio.current_time():.2f}")
        if which + 1 < len(targets):
            failed.set()


async def happy(*targets):
    winner = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(attempt, 0, targets, nursery, winner, None)
    print("main:", winner[0] if winner else None, f"{trio.current_time():.2f}")


async def main():
    await happy((0.5, True))
    await happy((0.5, False), (10, True), (1.5, True), (0.25, True))
    await happy((5, True), (5, True), (2.5, True))
    await happy((3, False), (0.5, False), (2, False))


run(main)
