# compare: exact shuffled
import asyncio
from twin import eio, name, now, outcome, run


async def waiter(who, future):
    try:
        print(f"{who}:", await future, now())
    except BaseException as error:
        print(f"{who}:", name(error), now())


async def main():
    loop = asyncio.get_running_loop()
    for what in ("result", "error", "cancel"):
        future = loop.create_future()
        print("main:", future.done(), future.cancelled(), outcome(future))
        tasks = [asyncio.create_task(waiter(f"{who}-{what}", future)) for who in "ab"]
        await asyncio.sleep(1)
        if what == "result":
            future.set_result(5)
        elif what == "error":
            future.set_exception(eio())
        else:
            future.cancel()
        await asyncio.sleep(1)
        print("main:", future.done(), future.cancelled(), outcome(future), tasks[0].done(), tasks[1].done())
        for again in (lambda: future.set_result(6), lambda: future.set_exception(eio())):
            try:
                again()
            except asyncio.InvalidStateError:
                print("main: it is set already")
        print("main:", future.cancel())


run(main)
