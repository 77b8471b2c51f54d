#!/usr/bin/python3
"""Trio: the same rows under its run loop. PROGRAM [ROUNDS [ROW...]]."""
import json
import sys
import time

import trio

OPERATIONS = 2000  # fewer than the others do: each takes microseconds
SWITCHES = 5000
BATCH = 64
BUFFERED = 128
checkpoint = trio.lowlevel.checkpoint
now = time.process_time_ns  # of this process, as for the others


async def yield_many():
    for _ in range(OPERATIONS):
        await checkpoint()


async def yield_two():
    begin = now()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(yield_many)
        nursery.start_soon(yield_many)
    return (now() - begin) / OPERATIONS


def switch_among(tasks):
    turns = max(SWITCHES // tasks, 2)

    async def measure():
        stop, steps = False, 0

        async def member():
            nonlocal steps
            while not stop:
                steps += 1  # counted: Trio runs a batch in either order
                await checkpoint()

        async with trio.open_nursery() as nursery:
            for _ in range(tasks - 1):
                nursery.start_soon(member)
            await checkpoint()
            begin, before = now(), steps
            for _ in range(turns):
                await checkpoint()
            result = (now() - begin) / (steps - before + turns)
            stop = True
        return result

    return measure


async def nothing():
    pass


def spawn(batch):
    async def measure():
        begin = now()
        for _ in range(OPERATIONS // batch):
            async with trio.open_nursery() as nursery:
                for _ in range(batch):
                    nursery.start_soon(nothing)
        return (now() - begin) / (OPERATIONS // batch * batch)

    return measure


def through(capacity):
    async def measure():
        send, receive = trio.open_memory_channel(capacity)

        async def send_all():
            for i in range(OPERATIONS):
                await send.send(i)

        begin = now()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send_all)
            for _ in range(OPERATIONS):
                await receive.receive()
        return (now() - begin) / OPERATIONS

    return measure


ROWS = {
    "yield-2": yield_two,
    "switch-100": switch_among(100),
    "switch-1000": switch_among(1000),
    "spawn-1": spawn(1),
    "spawn-64": spawn(BATCH),
    "channel-0": through(0),
    "channel-128": through(BUFFERED),
    "switch-100000": switch_among(100000),
}


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    names = [name for name in ROWS if name in sys.argv[2:] or len(sys.argv) < 3]
    samples = {name: [] for name in names}
    for number in range(rounds):
        for name in names:
            if number == 0 and name != "switch-100000":  # seconds long, and nothing to warm up
                trio.run(ROWS[name])
            samples[name].append(round(trio.run(ROWS[name]), 2))
    print(json.dumps(samples))


main()
