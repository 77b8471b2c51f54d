# compare: tasks shuffled
# And the fix: the client sends in one task and receives in another.
import trio
from flow import run_flow

ALL, ROOM = 10, 2


async def sender(network):
    for i in range(ALL):
        await network.send(i)
        print("sender: sent", i)
    network.to_server[0].close()


async def client(network):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sender, network)
        nursery.start_soon(network.receive_back, ALL)
    print("both: done")


run_flow(ROOM, client)
