# compare: exact shuffled
# A service with workers of its own, started, used and stopped by what it reported: its cancel scope.
import trio
from twin import run


async def worker(receive):
    async for job in receive:
        await trio.sleep(job)
        print(f"worker: job {job}", trio.current_time())


async def service(workers, task_status=trio.TASK_STATUS_IGNORED):
    send, receive = trio.open_memory_channel(10)
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            for _ in range(workers):
                nursery.start_soon(worker, receive)
            await trio.sleep(1)
            task_status.started((scope, send))
            try:
                await trio.sleep_forever()
            finally:
                print("service: stops", trio.current_time())
    print("service: stopped", scope.cancelled_caught, trio.current_time())


async def main():
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(3) as starting:  # not around the service once it has reported
            scope, send = await nursery.start(service, 2)
        print("main: started", trio.current_time())
        for job in 1, 4, 2, 20:
            await send.send(job)
        await trio.sleep(10)
        scope.cancel()
        print("main: stops", starting.cancel_called, trio.current_time())
    print("main: done", trio.current_time())


run(main)
