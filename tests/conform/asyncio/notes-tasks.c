#include "asyncio_twin.h"

static int listener(void *arg)
{
    say("listener: waiting for event");
    WEIR_TRY(weir_event_wait(arg));
    say("listener: event processed %.1f", now());
    return 0;
}

static int main_task(void *arg)
{
    struct step a = {"A", 2, 1}, b = {"B", 1, 2}, c = {"C", 3, 3};
    struct weir_handle t1, t2, t3, handler;
    struct weir_nursery nursery;
    struct weir_event event;
    int rc = 0;
    weir_event_init(&event);
    weir_with_nursery (&nursery, rc) {
        WEIR_DO(rc, weir_spawn(&nursery, do_step, &a, &t1));
        WEIR_DO(rc, weir_spawn(&nursery, do_step, &b, &t2));
        WEIR_DO(rc, weir_spawn(&nursery, do_step, &c, &t3));
        weir_handle_set_name(&t2, "renamed");
        say("main: %s %s %s %u", weir_handle_name(&t2), yes(weir_handle_is_done(&t1)),
            yes(weir_handle_is_cancelled(&t1)), weir_handle_cancelling(&t1));
        int first = weir_handle_wait(&t1), second = weir_handle_wait(&t2), third = weir_handle_wait(&t3);
        say("main: %d %d %d %.1f", first, second, third, now());
        say("main: %d %s %s %s", weir_handle_result(&t1), yes(weir_handle_result(&t2) >= 0),
            yes(weir_handle_is_done(&t3)), yes(weir_handle_is_cancelled(&t3)));

        WEIR_DO(rc, weir_spawn(&nursery, listener, &event, &handler));
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_event_set(&event);
        WEIR_DO(rc, weir_handle_wait(&handler));
        say("main: done %.1f", now());
    }
    return rc;
}

TWIN(main_task)
