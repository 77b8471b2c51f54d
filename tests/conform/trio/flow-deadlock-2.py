# compare: tasks shuffled
# Flow control once more: a client that alternates as the server does, over a network without any room. All goes well
# as long as what it sends fits into one piece.
from flow import run_flow


async def client(network):
    value = 0
    for pieces in 1, 1, 3:
        for _ in range(pieces):
            await network.send(value)
            print("client: sent", value)
            value += 1
        await network.receive_back(pieces)


run_flow(0, client)
