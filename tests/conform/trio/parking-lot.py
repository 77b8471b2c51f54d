# compare: exact
import trio
from twin import run


async def parker(who, lot):
    await lot.park()
    print(f"{who}: out {trio.current_time():.1f}")


async def main():
    lot = trio.lowlevel.ParkingLot()
    print("main:", len(lot.unpark()))
    async with trio.open_nursery() as nursery:
        for who in "abcdef":
            nursery.start_soon(parker, who, lot)
        await trio.sleep(1)
        print("main:", len(lot), lot.statistics().tasks_waiting)
        lot.unpark()
        await trio.sleep(1)
        lot.unpark(count=2)
        print("main:", len(lot))
        await trio.sleep(1)
        with trio.move_on_after(1) as scope:
            await lot.park()
        print("main:", scope.cancelled_caught, len(lot))
        print("main:", len(lot.unpark(count=10)))
        print("main:", len(lot.unpark_all()))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(parker, "g", lot)
        nursery.start_soon(parker, "h", lot)
        await trio.sleep(1)
        print("main:", len(lot.unpark_all()))


run(main)
