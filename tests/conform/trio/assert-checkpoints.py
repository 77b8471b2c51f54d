# compare: exact shuffled
import trio
import trio.testing
from twin import eio, name, run


async def judge(title, call):
    said = []
    for block in trio.testing.assert_checkpoints, trio.testing.assert_no_checkpoints:
        try:
            with block():
                await call()
            said.append("holds")
        except AssertionError:
            said.append("does not hold")
        except OSError as error:
            said.append(name(error))
    print(f"{title}: {', '.join(said)}")


async def nothing():
    pass


async def fails():
    raise eio()


async def fails_late():
    await trio.sleep(1)
    raise eio()


async def main():
    event, other = trio.Event(), trio.Event()
    event.set()
    send, receive = trio.open_memory_channel(10)
    send.send_nowait(1)
    memory_send, memory_receive = trio.testing.memory_stream_one_way_pair()
    memory_receive.put_data(b"there")

    async def sets():
        other.set()

    async def sends_nowait():
        send.send_nowait(2)

    async def cancelled():
        with trio.CancelScope() as scope:
            scope.cancel()
            await trio.lowlevel.checkpoint_if_cancelled()

    async def times_out():
        with trio.move_on_after(1):
            await trio.sleep_forever()

    async def sends():
        await send.send(3)

    await judge("nothing", nothing)
    await judge("fails", fails)
    await judge("fails late", fails_late)
    await judge("checkpoint", trio.lowlevel.checkpoint)
    await judge("checkpoint_if_cancelled", trio.lowlevel.checkpoint_if_cancelled)
    await judge("cancel_shielded_checkpoint", trio.lowlevel.cancel_shielded_checkpoint)
    await judge("sleep", lambda: trio.sleep(1))
    await judge("sleep 0", lambda: trio.sleep(0))
    await judge("event.wait", event.wait)
    await judge("event.set", sets)
    await judge("send", sends)
    await judge("send_nowait", sends_nowait)
    await judge("receive", receive.receive)
    await judge("memory send_all", lambda: memory_send.send_all(b"x"))
    await judge("memory receive_some", lambda: memory_receive.receive_some(2))
    await judge("memory close", memory_send.aclose)
    await judge("cancelled", cancelled)
    await judge("times out", times_out)
    await judge("wait_all_tasks_blocked", trio.testing.wait_all_tasks_blocked)


run(main)
