/* Chunks are sent in the order in which the state machine made them. */
#include "twin.h"

static struct weir_strict_fifo_lock lock;
static char made[4];

struct sender {
    const char *who;
    double start;
};

static int send_chunk(void *arg)
{
    const struct sender *sender = arg;
    int rc = 0;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(sender->start)));
    size_t chunk = strlen(made);
    made[chunk] = *sender->who;
    weir_with_strict_fifo_lock (&lock, rc) {
        say("%s: chunk %zu begins %.1f", sender->who, chunk, now());
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1.0 / (double)(1 + chunk))));
        say("%s: chunk %zu ends %.2f", sender->who, chunk, now());
    }
    return rc;
}

static int main_task(void *arg)
{
    static struct sender senders[] = {{"x", 0.3}, {"y", 0.1}, {"z", 0.2}};
    struct weir_lock_statistics statistics;
    struct weir_nursery nursery;
    int rc = 0;
    weir_strict_fifo_lock_init(&lock);
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 3; i++)
            weir_start_soon(&nursery, send_chunk, &senders[i]);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(0.5)));
        weir_strict_fifo_lock_statistics(&lock, &statistics);
        say("main: %s %u", yes(weir_strict_fifo_lock_locked(&lock)), statistics.tasks_waiting);
    }
    say("main: %s %s %s", made, yes(weir_strict_fifo_lock_locked(&lock)),
        weir_strict_fifo_lock_owner(&lock) == NULL ? "None" : "owned");
    return rc;
}

TWIN(main_task)
