# compare: exact shuffled
# asyncio.timeout, timeout_at and reschedule are scopes.
import asyncio
from twin import name, now, run


async def main():
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(1) as timeout:
            await asyncio.sleep(5)
    except TimeoutError as error:
        print("main:", name(error), timeout.expired(), now())
    async with asyncio.timeout_at(loop.time() + 2) as timeout:
        await asyncio.sleep(1)
    print("main:", timeout.expired(), now())
    try:
        async with asyncio.timeout(1) as timeout:
            print("main:", timeout.when() - loop.time())
            timeout.reschedule(loop.time() + 3)
            await asyncio.sleep(2)
            print("main: still there", now())
            timeout.reschedule(loop.time() + 0.5)
            await asyncio.sleep(2)
    except TimeoutError as error:
        print("main:", name(error), now())
    try:
        async with asyncio.timeout(5) as outer:
            try:
                async with asyncio.timeout(1) as inner:
                    await asyncio.sleep(9)
            except TimeoutError as error:
                print("main: inner", name(error), inner.expired(), outer.expired(), now())
            await asyncio.sleep(9)
    except TimeoutError as error:
        print("main: outer", name(error), outer.expired(), now())


run(main)
