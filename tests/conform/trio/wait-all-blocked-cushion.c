#include "twin.h"
#include <weir/testing.h>

struct waiter {
    const char *title;
    weir_time cushion;
    int rounds;
};

static int waits(void *arg)
{
    struct waiter *waiter = arg;
    for (int i = 0; i < waiter->rounds; i++) {
        WEIR_TRY(weir_wait_all_tasks_blocked(waiter->cushion));
        say("%s: %d", waiter->title, i);
    }
    say("%s: %.1f", waiter->title, now());
    return 0;
}

struct chain_link {
    int number;
    struct weir_event *first, *second;
};

static int chain(void *arg)
{
    struct chain_link *link = arg;
    WEIR_TRY(weir_event_wait(link->first));
    say("link %d: woken", link->number);
    for (int i = 0; i < 100; i++)
        WEIR_TRY(weir_checkpoint());
    say("link %d: wakes the next", link->number);
    weir_event_set(link->second);
    return 0;
}

static int main_task(void *arg)
{
    static struct waiter longer = {"long", WEIR_MILLISECONDS(20), 1}, shorter = {"short", WEIR_MILLISECONDS(1), 5},
                         patient = {"patient", WEIR_MILLISECONDS(10), 1}, hasty = {"hasty", WEIR_SECONDS(3600), 1};
    struct weir_event events[4];
    struct chain_link links[3];
    struct weir_nursery nursery, inner;
    struct weir_scope scope;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, waits, &longer);
        weir_start_soon(&nursery, waits, &shorter);
    }
    say("main: %.1f", now());

    for (int i = 0; i < 4; i++)
        weir_event_init(&events[i]);
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 3; i++) {
            links[i] = (struct chain_link){i, &events[i], &events[i + 1]};
            weir_start_soon(&nursery, chain, &links[i]);
        }
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        say("main: all links wait");
        weir_event_set(&events[0]);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(WEIR_MILLISECONDS(1)));
        say("main: last set %s", yes(weir_event_is_set(&events[3])));
    }

    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        WEIR_DO(rc, weir_wait_all_tasks_blocked(WEIR_MILLISECONDS(2)));
        say("main: not cancelled %s %.1f", yes(scope.cancel_called), now());
        rc = weir_sleep_forever();
    }
    say("main: cancelled %s %.1f", yes(scope.cancelled_caught), now());

    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, waits, &patient);
        weir_with_scope (&scope, rc) {
            weir_with_nursery (&inner, rc) {
                weir_start_soon(&inner, waits, &hasty);
                WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
                weir_scope_cancel(&scope);
            }
        }
        say("main: hasty is cancelled %s", yes(scope.cancelled_caught));
    }
    return rc;
}

TWIN(main_task)
