# compare: exact
# Only the scope whose own time is over says TooSlowError; it is an error like any other further out.
import trio
from twin import name, run, yes_all


async def nest(outer_seconds, inner_seconds, takes):
    scopes = []
    try:
        with trio.fail_after(outer_seconds) as outer:
            try:
                with trio.fail_after(inner_seconds) as inner:
                    await trio.sleep(takes)
            except trio.TooSlowError:
                print("inner too slow", trio.current_time())
                await trio.sleep(1)
                print("between", trio.current_time())
                raise
    except BaseException as error:
        print(name(error), trio.current_time(), yes_all(outer, inner))
    else:
        print("ok", trio.current_time(), yes_all(outer, inner))


async def main():
    await nest(5, 2, 1)
    await nest(5, 2, 10)
    await nest(2, 5, 10)
    await nest(3, 3, 10)
    await nest(3, 2.5, 10)  # the outer one's time is over while we deal with the inner one's
    with trio.move_on_after(1) as whole:
        await nest(5, 2, 10)
    print(yes_all(whole))
    # its time is over, but the error is another
    try:
        with trio.fail_after(1) as scope:
            try:
                await trio.sleep(2)
            finally:
                raise OSError(5, "eio")
    except BaseException as error:
        print(name(error), yes_all(scope))


run(main)
