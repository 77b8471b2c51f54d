#include "twin.h"

static int plain(void *arg)
{
    say("loop: plain %d", *(int *)arg);
    return *(int *)arg + 1;
}

static int task(void *arg)
{
    say("loop: task %d", *(int *)arg);
    WEIR_TRY(weir_sleep(0));
    return *(int *)arg + 2;
}

static int failing(void *arg)
{
    WEIR_TRY(weir_sleep(0));
    return -EIO;
}

static int work(void *arg)
{
    int one = 1;
    say("thread: %d", weir_from_thread_run_sync(NULL, plain, &one));
    say("thread: %d", weir_from_thread_run(NULL, task, &one));
    say("thread: %s", name(weir_from_thread_run(NULL, failing, NULL)));
    return 9;
}

static int main_task(void *arg)
{
    int rc = weir_to_thread_run_sync(work, NULL, NULL);
    say("main: %d", rc);
    return rc < 0 ? rc : 0;
}

TWIN(main_task)
