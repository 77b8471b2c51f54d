# compare: tasks shuffled
# Flow control, as the tutorial has it of its echo client: one that sends all before it receives any, a server that
# alternates, and a network with some room. Both wait to send, for ever.
from flow import run_flow

ALL, ROOM = 10, 2


async def client(network):
    for i in range(ALL):
        await network.send(i)
        print("client: sent", i)
    await network.receive_back(ALL)


run_flow(ROOM, client)
