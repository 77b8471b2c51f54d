"""What the programs about flow control share: an echo server, a network of two channels, and finding a deadlock as a
Trio program can: all tasks are blocked, and no deadline will come."""
import math

import trio
import trio.testing
from twin import run


class EDEADLK(Exception):
    pass


class Network:
    def __init__(self, room):
        self.to_server = trio.open_memory_channel(room)
        self.to_client = trio.open_memory_channel(room)

    async def send(self, value):
        await self.to_server[0].send(value)

    async def receive_back(self, count):
        for _ in range(count):
            print("client: back", await self.to_client[1].receive())

    async def server(self):
        async for value in self.to_server[1]:
            print("server: got", value)
            await self.to_client[0].send(value)


    def waits(self):
        """A line for each of the two that waits to send."""
        for who, (send, _) in ("client", self.to_server), ("server", self.to_client):
            s = send.statistics()
            if s.tasks_waiting_send == 1:
                yield f"{who}: weir_send for 0 ns ({s.current_buffer_used} of {s.max_buffer_size} buffered)"


def run_flow(room, client):
    report = []

    async def watch(network, scope, tasks):
        await trio.testing.wait_all_tasks_blocked()
        if trio.lowlevel.current_statistics().seconds_to_next_deadline == math.inf:
            report.extend([f"deadlock: {len(tasks)} tasks wait", *network.waits()])
            scope.cancel()

    async def main():
        network = Network(room)
        async with trio.open_nursery() as watching:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(client, network)
                nursery.start_soon(network.server)
                tasks = [trio.lowlevel.current_task(), *nursery.child_tasks]
                watching.start_soon(watch, network, nursery.cancel_scope, tasks)
            watching.cancel_scope.cancel()
        if report:
            raise EDEADLK

    run(main)
    for line in report or ["no deadlock"]:
        print(line)
