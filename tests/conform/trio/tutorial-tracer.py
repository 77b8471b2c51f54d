# compare: exact
# The tutorial's first program once more, and what the loop does meanwhile ("Task switching illustrated").
import trio
from twin import run


def is_own(task):
    return task.name.startswith("<")


class Tracer(trio.abc.Instrument):
    """The tutorial's, but for Trio's own tasks, and the checks for I/O before they run alone or after the others have
    ended. Names as in C, where the first task is called main."""

    def __init__(self):
        self.check, self.ran_own, self.ran_other, self.over = [], False, False, False

    def _print(self, line):
        self._say_check()
        print(line)

    def _say_check(self):
        for line in self.check if not self.over else []:
            print(line)
        self.check = []

    def _print_with_task(self, message, task):
        if not is_own(task):
            name = task.name.removeprefix("__main__.")
            self._print(f"{message}: {'main' if name == 'parent' else name}")

    def before_run(self):
        print("!!! run started")

    def task_spawned(self, task):
        if task.name == "__main__.parent":  # from the first step of Trio's own, which ours has not
            self.check = []
        self._print_with_task("### new task spawned", task)

    def task_scheduled(self, task):
        self._print_with_task("### task scheduled", task)

    def before_task_step(self, task):
        self.ran_own |= is_own(task)
        self.ran_other |= not is_own(task)
        self._print_with_task(">>> about to run one step of task", task)

    def after_task_step(self, task):
        self._print_with_task("<<< task step finished", task)

    def task_exited(self, task):
        self._print_with_task("### task exited", task)
        self.over |= task.name == "__main__.parent"

    def before_io_wait(self, timeout):
        if self.ran_own and not self.ran_other:
            self.check = []
        self._say_check()
        self.ran_own = self.ran_other = False
        if timeout:
            self.check = [f"### waiting for I/O for up to {timeout:.9g} seconds"]
        else:
            self.check = ["### doing a quick check for I/O"]
        self._sleep_time = trio.current_time()

    def after_io_wait(self, timeout):
        duration = trio.current_time() - self._sleep_time
        self.check.append(f"### finished I/O check (took {duration:.9g} seconds)")

    def after_run(self):
        print("!!! run finished")


async def child1():
    print("  child1: started! sleeping now...")
    await trio.sleep(1)
    print("  child1: exiting!")


async def child2():
    print("  child2: started! sleeping now...")
    await trio.sleep(1)
    print("  child2: exiting!")


async def parent():
    print("parent: started!")
    async with trio.open_nursery() as nursery:
        print("parent: spawning child1...")
        nursery.start_soon(child1)

        print("parent: spawning child2...")
        nursery.start_soon(child2)

        print("parent: waiting for children to finish...")
        # -- we exit the nursery block here --
    print("parent: all done!")


run(parent, instruments=[Tracer()])
