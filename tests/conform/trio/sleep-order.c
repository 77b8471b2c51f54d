#include "twin.h"

struct sleeper {
    int number;
    double start, deadline;
};

static int sleep_for(void *arg)
{
    struct sleeper *sleeper = arg;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(sleeper->deadline)));
    say("%d woke %.1f", sleeper->number, now());
    return 0;
}

static int sleep_until(void *arg)
{
    struct sleeper *sleeper = arg;
    WEIR_TRY(weir_sleep_until(WEIR_SECONDS(sleeper->start)));
    WEIR_TRY(weir_sleep_until(WEIR_SECONDS(sleeper->deadline)));
    say("%d woke %.1f", sleeper->number, now());
    return 0;
}

static int main_task(void *arg)
{
    static const double seconds[] = {5, 3, 3, 0, 4, 1, 3, 0.5, 5, 0};
    struct sleeper sleepers[10];
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 10; i++) {
            sleepers[i] = (struct sleeper){.number = i, .deadline = seconds[i]};
            weir_start_soon(&nursery, sleep_for, &sleepers[i]);
        }
    double start = now();
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 8; i++) {
            sleepers[i] = i < 6    ? (struct sleeper){i, start + 6 - i, start + 10}
                          : i == 6 ? (struct sleeper){i, start - 3, start + 9}
                                   : (struct sleeper){i, start + 12, start + 11};
            weir_start_soon(&nursery, sleep_until, &sleepers[i]);
        }
    return rc;
}

TWIN(main_task)
