# compare: exact shuffled
# Two conditions of one lock: a bounded queue.
import trio
from twin import run


class Queue:
    def __init__(self, room):
        self.items, self.room = [], room
        self.lock = trio.Lock()
        self.not_full, self.not_empty = trio.Condition(self.lock), trio.Condition(self.lock)

    async def put(self, item):
        async with self.not_full:
            while len(self.items) == self.room:
                await self.not_full.wait()
            self.items.append(item)
            self.not_empty.notify()

    async def get(self):
        async with self.lock:
            while not self.items:
                await self.not_empty.wait()
            self.not_full.notify()
            return self.items.pop(0)


async def producer(queue):
    for item in range(6):
        await queue.put(item)
        print(f"producer: put {item} {trio.current_time():.1f}")
    await trio.sleep(5)
    await queue.put(99)


async def main():
    queue = Queue(2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(producer, queue)
        for _ in range(7):
            await trio.sleep(0.5)
            print("consumer: got", await queue.get(), f"{trio.current_time():.1f}")


run(main)
