# compare: exact
# In a cancelled scope a clean-up that waits is cancelled too, timeouts of its own or not; in a shield it is not.
import trio
from twin import name, run, yes_all


async def clean_up():
    with trio.move_on_after(5) as own:
        try:
            await trio.sleep(1)
        except trio.Cancelled as error:
            print("clean-up:", name(error), trio.current_time())
            raise
    print("clean-up: not reached", own)


async def main():
    with trio.move_on_after(1) as scope:
        try:
            await trio.sleep_forever()
        finally:
            await clean_up()
    print("no shield", yes_all(scope), trio.current_time())
    with trio.move_on_after(1) as scope:
        try:
            await trio.sleep_forever()
        finally:
            with trio.move_on_after(3) as own:
                own.shield = True
                await trio.sleep(2)
                print("clean-up: done", trio.current_time())
            print("clean-up:", yes_all(own))
    print("in time", yes_all(scope), trio.current_time())
    with trio.move_on_after(1) as scope:
        try:
            await trio.sleep_forever()
        finally:
            with trio.move_on_after(3) as own:
                own.shield = True
                await trio.sleep(10)
            print("clean-up:", yes_all(own), trio.current_time())
    print("too slow", yes_all(scope), trio.current_time())
    # cancelled from within the clean-up of another cancellation
    with trio.CancelScope() as outer:
        with trio.move_on_after(1) as scope:
            try:
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    await trio.sleep(1)
                    outer.cancel()
                    await trio.sleep(1)
                print("clean-up: done", trio.current_time())
        print("not reached")
    print("outer", yes_all(outer, scope), trio.current_time())


run(main)
