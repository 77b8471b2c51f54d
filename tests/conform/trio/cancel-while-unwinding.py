# compare: exact
# Who catches is decided as the Cancelled passes, not when it was raised.
import trio
from twin import run, yes_all


async def main():
    # inner cancelled first, then outer: the outer one catches
    with trio.CancelScope() as outer:
        with trio.CancelScope() as inner:
            inner.cancel()
            try:
                await trio.lowlevel.checkpoint()
            finally:
                outer.cancel()
        print("not reached")
    print("outer too", yes_all(outer, inner))
    # a shield that goes up meanwhile: the Cancelled of the outer one is stopped by nobody inside it
    with trio.CancelScope() as outer:
        with trio.CancelScope() as inner:
            outer.cancel()
            try:
                await trio.lowlevel.checkpoint()
            finally:
                inner.shield = True
        print("not reached")
    print("shielded late", yes_all(outer, inner))
    # both cancelled, and a shield between: now it is the inner one's
    with trio.CancelScope() as outer:
        with trio.CancelScope() as inner:
            outer.cancel()
            inner.cancel()
            try:
                await trio.lowlevel.checkpoint()
            finally:
                inner.shield = True
        print("reached")
    print("both", yes_all(outer, inner))
    # a shield that comes down meanwhile
    with trio.CancelScope() as outer:
        with trio.CancelScope(shield=True) as inner:
            outer.cancel()
            inner.cancel()
            try:
                await trio.lowlevel.checkpoint()
            finally:
                inner.shield = False
        print("not reached")
    print("shield down", yes_all(outer, inner))


run(main)
