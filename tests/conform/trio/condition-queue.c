/* Two conditions of one lock: a bounded queue. */
#include "twin.h"

enum { ROOM = 2 };

static struct weir_lock lock;
static struct weir_condition not_full, not_empty;
static int items[ROOM], count;

static int put(int item)
{
    int rc = 0;
    weir_with_condition (&not_full, rc) {
        while (rc == 0 && count == ROOM)
            rc = weir_condition_wait(&not_full);
        if (rc < 0)
            break;
        items[count++] = item;
        weir_condition_notify(&not_empty, 1);
    }
    return rc;
}

static int get(int *item)
{
    int rc = 0;
    weir_with_lock (&lock, rc) {
        while (rc == 0 && count == 0)
            rc = weir_condition_wait(&not_empty);
        if (rc < 0)
            break;
        weir_condition_notify(&not_full, 1);
        *item = items[0];
        items[0] = items[1];
        count--;
    }
    return rc;
}

static int producer(void *arg)
{
    for (int item = 0; item < 6; item++) {
        WEIR_TRY(put(item));
        say("producer: put %d %.1f", item, now());
    }
    WEIR_TRY(weir_sleep(WEIR_SECONDS(5)));
    return put(99);
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0, item = -1;
    weir_lock_init(&lock);
    weir_condition_init(&not_full, &lock);
    weir_condition_init(&not_empty, &lock);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, producer, NULL);
        for (int i = 0; i < 7 && rc == 0; i++) {
            rc = weir_sleep(WEIR_SECONDS(0.5));
            if (rc == 0)
                rc = get(&item);
            if (rc == 0)
                say("consumer: got %d %.1f", item, now());
        }
    }
    return rc;
}

TWIN(main_task)
