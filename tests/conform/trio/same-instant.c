#include "twin.h"

struct at {
    struct weir_event *event;
    struct weir_scope *scope;
    double seconds;
};

static int set_at(void *arg)
{
    struct at *at = arg;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(at->seconds)));
    weir_event_set(at->event);
    say("set %.1f", now());
    return 0;
}

static int cancel_at(void *arg)
{
    struct at *at = arg;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(at->seconds)));
    weir_scope_cancel(at->scope);
    say("cancelled %.1f", now());
    return 0;
}

static int against_deadline(int deadline)
{
    struct weir_nursery nursery;
    struct weir_event event;
    struct weir_scope scope;
    struct at two = {.event = &event, .seconds = 2};
    int rc = 0;
    weir_event_init(&event);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, set_at, &two);
        weir_move_on_after (&scope, WEIR_SECONDS(deadline), rc)
            rc = weir_event_wait(&event);
        say("%d %s %s %.1f", deadline, caught(&scope), yes(weir_event_is_set(&event)), now());
    }
    return rc;
}

static int against_cancel(const char *what, bool set_first)
{
    struct weir_nursery nursery;
    struct weir_event event;
    struct weir_scope scope;
    struct at at = {&event, &scope, 1};
    int rc = 0;
    weir_event_init(&event);
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            weir_start_soon(&nursery, set_first ? set_at : cancel_at, &at);
            weir_start_soon(&nursery, set_first ? cancel_at : set_at, &at);
            rc = weir_event_wait(&event);
        }
        say("%s %s", what, caught(&scope));
    }
    return rc;
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    struct at at = {.scope = &scope, .seconds = 1};
    int rc = 0;
    for (int deadline = 1; deadline <= 3; deadline++)
        WEIR_TRY(against_deadline(deadline));
    WEIR_TRY(against_cancel("set first", true));
    WEIR_TRY(against_cancel("cancelled first", false));
    weir_with_nursery (&nursery, rc) {
        weir_with_scope (&scope, rc) {
            weir_start_soon(&nursery, cancel_at, &at);
            WEIR_DO(rc, weir_checkpoint());
            rc = weir_sleep(WEIR_SECONDS(1));
        }
        say("slept %s", caught(&scope));
    }
    return rc;
}

TWIN(main_task)
