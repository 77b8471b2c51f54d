# compare: exact
# Who is whose child, looked up from all sides.
import trio
from twin import run


def short(task):
    return task.name.rpartition(".")[2]


def children(nursery):
    return " ".join(sorted(short(task) for task in nursery.child_tasks))


def look(who):
    task = trio.lowlevel.current_task()
    print(who, "is", short(task), "in a nursery of", short(task.parent_nursery.parent_task), "with", len(task.child_nurseries))


async def leaf():
    look("leaf:")
    await trio.sleep_forever()


async def branch():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(leaf)
        nursery.start_soon(leaf)
        await trio.sleep(1)
        look("branch:")
        print("branch: has", children(nursery))
        await trio.sleep_forever()


async def starter(target, task_status=trio.TASK_STATUS_IGNORED):
    task = trio.lowlevel.current_task()
    look("starter:")
    print("starter:", task.parent_nursery is target, task.eventual_parent_nursery is target)
    task_status.started()
    print("starter:", task.parent_nursery is target, task.eventual_parent_nursery)
    await trio.sleep_forever()


async def main():
    task = trio.lowlevel.current_task()
    async with trio.open_nursery() as outer:
        outer.start_soon(branch)
        async with trio.open_nursery() as inner:
            print("main:", task.child_nurseries == [outer, inner], children(outer), "/", children(inner))
            await inner.start(starter, outer)
            await inner.start(starter, inner)
            print("main:", children(outer), "/", children(inner))
            await trio.sleep(2)
            (first,) = outer.child_tasks
            (below,) = first.child_nurseries
            print("main:", short(first), "has", children(below), "of", short(below.parent_task))
            inner.cancel_scope.cancel()
        print("main:", task.child_nurseries == [outer], children(inner) == "")
        outer.cancel_scope.cancel()
    print("main:", len(task.child_nurseries))


run(main)
