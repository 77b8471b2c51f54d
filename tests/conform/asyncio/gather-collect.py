# compare: exact shuffled
import asyncio
from twin import eio, enoent, name, now, run, step


def said(result):
    return name(result) if isinstance(result, BaseException) else str(result)


async def gather_all():
    return await asyncio.gather(step("D", 1, 4), step("E", 9, 5), return_exceptions=True)


async def main():
    results = await asyncio.gather(step("A", 1, eio()), step("B", 3, 2), step("C", 2, enoent()),
                                   return_exceptions=True)
    print("main:", *[said(result) for result in results], now())
    outer = asyncio.create_task(gather_all())
    await asyncio.sleep(2)
    outer.cancel()
    try:
        await outer
    except asyncio.CancelledError as error:
        print("main:", name(error), now())


run(main)
