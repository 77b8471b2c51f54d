# compare: exact shuffled
# Iterating ends with the channel, or where its body or a closed end stops it.
import trio
from twin import name, run


async def producer(send):
    async with send:
        for number in range(3):
            await trio.sleep(1)
            await send.send(number)


async def iterate(who, receive, stop=None):
    try:
        async for number in receive:
            print(f"{who}: {number} {trio.current_time():.1f}")
            if number == stop:
                break
        print(f"{who}: end {trio.current_time():.1f}")
    except Exception as error:
        print(f"{who}:", name(error), f"{trio.current_time():.1f}")


async def main():
    for stop in None, 1:
        send, receive = trio.open_memory_channel(5)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(producer, send)
            nursery.start_soon(iterate, "child", receive, stop)
        await iterate("rest", receive)
    send, receive = trio.open_memory_channel(0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(iterate, "closed", receive)
        await trio.sleep(1)
        receive.close()
    await iterate("main", receive)
    send, receive = trio.open_memory_channel(0)
    with trio.move_on_after(1) as scope:
        await iterate("cancelled", receive)
    print("main:", scope.cancelled_caught)


run(main)
