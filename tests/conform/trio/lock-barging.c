/* Who releases a lock that others wait for cannot take it again before them. */
#include "twin.h"

static struct weir_lock lock;

static int greedy(void *who)
{
    int rc = 0;
    for (int turn = 0; turn < 3 && rc == 0; turn++)
        weir_with_lock (&lock, rc)
            say("%s: %d", (char *)who, turn);
    return rc;
}

static int main_task(void *arg)
{
    static char names[][2] = {"a", "b", "c"};
    struct weir_lock_statistics statistics;
    struct weir_nursery nursery;
    int rc = 0;
    weir_lock_init(&lock);
    WEIR_TRY(weir_lock_acquire(&lock));
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 3; i++)
            weir_start_soon(&nursery, greedy, names[i]);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_lock_release(&lock);
        if (weir_lock_acquire_nowait(&lock) == -EAGAIN) {
            weir_lock_statistics(&lock, &statistics);
            say("main: its %u", statistics.tasks_waiting);
        }
        WEIR_DO(rc, weir_lock_acquire(&lock));
        say("main: mine");
        weir_lock_release(&lock);
    }
    return rc;
}

TWIN(main_task)
