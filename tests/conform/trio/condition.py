# compare: exact
# Those who are notified go on one by one, each with the lock; the others wait on.
import trio
from twin import name, run


async def waiter(who, condition):
    async with condition:
        await condition.wait()
        print(f"{who}: on {trio.current_time():.1f} {condition.locked()}")
        await trio.sleep(0.5)


def report(condition):
    statistics = condition.statistics()
    print("main:", statistics.tasks_waiting, statistics.lock_statistics.locked,
          statistics.lock_statistics.tasks_waiting)


async def main():
    condition = trio.Condition()
    for call in condition.notify, condition.notify_all, condition.release:
        try:
            call()
        except Exception as error:
            print("main:", name(error))
    try:
        await condition.wait()
    except Exception as error:
        print("main:", name(error))
    async with trio.open_nursery() as nursery:
        for who in "abcde":
            nursery.start_soon(waiter, who, condition)
        await trio.sleep(1)
        report(condition)
        await condition.acquire()
        condition.notify(2)
        report(condition)
        condition.release()
        await trio.sleep(3)
        condition.acquire_nowait()
        condition.notify()
        condition.notify_all()
        report(condition)
        condition.release()
    report(condition)


run(main)
