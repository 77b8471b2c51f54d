# compare: exact
# Who is moved to another lot is at the end of its line, and is cancelled out of it.
import trio
from twin import run


async def parker(who, lot, scope):
    with scope:
        await lot.park()
        print(f"{who}: out {trio.current_time():.1f}")
    if scope.cancelled_caught:
        print(f"{who}: cancelled {trio.current_time():.1f}")


async def main():
    one, other = trio.lowlevel.ParkingLot(), trio.lowlevel.ParkingLot()
    scopes = [trio.CancelScope() for _ in range(6)]
    async with trio.open_nursery() as nursery:
        for number, who in enumerate("abcd"):
            nursery.start_soon(parker, who, one, scopes[number])
        for number, who in enumerate("ef"):
            nursery.start_soon(parker, who, other, scopes[4 + number])
        await trio.sleep(1)
        one.repark(other)
        print("main:", len(one), len(other))
        one.repark(other, count=2)
        print("main:", len(one), len(other))
        scopes[0].cancel()
        print("main:", len(one), len(other))
        other.unpark(count=2)
        await trio.sleep(1)
        one.repark_all(other)
        print("main:", len(one), len(other))
        other.unpark_all()


run(main)
