# compare: tasks shuffled
# One sender, several receivers with clones: each message goes to one of them; who is gone is not waited for.
import trio
from twin import name, run


async def consumer(number, receive, limit, done):
    count = 0
    async with receive:
        async for _ in receive:
            count += 1
            await trio.sleep(1)
            if count == limit:
                break
    done.append(count)
    print(f"{number}: {'left' if count == limit else 'end'}")


async def main():
    done = []
    send, receive = trio.open_memory_channel(0)
    async with trio.open_nursery() as nursery:
        async with receive:
            for number in range(3):
                nursery.start_soon(consumer, number, receive.clone(), 2 if number else 1000, done)
        async with send:
            for message in range(20):
                await send.send(message)
    print("main:", sum(done), sorted(done))
    # when the last has left, the sender hears of it
    send, receive = trio.open_memory_channel(0)
    sent = 0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(consumer, 3, receive.clone(), 2, done)
        nursery.start_soon(consumer, 4, receive, 3, done)
        try:
            while True:
                await send.send(sent)
                sent += 1
        except trio.BrokenResourceError as error:
            print("main:", name(error), sent, trio.current_time())


run(main)
