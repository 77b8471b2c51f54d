#include "twin.h"

static int other(void *arg)
{
    say("other runs");
    return 0;
}

static struct weir_send_channel send, clone;
static struct weir_receive_channel receive;

static const char *send_now(struct weir_send_channel *to, int message)
{
    return name(weir_send_nowait(to, &message));
}

static const char *receive_now(void)
{
    static char text[2][16];
    static int turn;
    int message, rc = weir_receive_nowait(&receive, &message);
    turn = !turn;
    snprintf(text[turn], sizeof text[turn], "%d", message);
    return rc < 0 ? name(rc) : text[turn];
}

static const char *deadline(void)
{
    weir_time earliest = weir_current_effective_deadline();
    return earliest == INT64_MIN ? "-inf" : earliest == WEIR_NEVER ? "inf" : "finite";
}

static void in_cancelled_scope(struct weir_nursery *nursery)
{
    struct weir_channel_statistics statistics;
    struct weir_event event;
    struct weir_scope inner;
    int rc = 0;
    const char *first;
    weir_event_init(&event);
    first = send_now(&send, 1);
    say("%s %s", first, send_now(&send, 2));
    first = receive_now();
    say("%s %s", first, receive_now());
    rc = weir_send_channel_clone(&send, &clone);
    weir_send_channel_statistics(&clone, &statistics);
    first = send_now(&clone, 3);
    say("%s %u", first, statistics.open_send_channels);
    weir_send_channel_close(&clone);
    first = send_now(&clone, 4);
    weir_send_channel_close(&send);
    weir_send_channel_close(&send);
    say("%s ok ok", first);
    first = receive_now();
    const char *second = receive_now();
    weir_receive_channel_close(&receive);
    say("%s %s ok", first, second);
    first = receive_now();
    weir_event_set(&event);
    say("%s ok %s", first, yes(weir_event_is_set(&event)));
    weir_start_soon(nursery, other, NULL);
    say("%u %s %.1f", weir_nursery_child_count(nursery), deadline(), now());
    weir_with_scope (&inner, rc)
        say("%s", yes(inner.cancel_called));
    weir_with_scope (&inner, rc) {
        weir_scope_set_shield(&inner, WEIR_SHIELD_FULL);
        say("%s", deadline());
    }
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    int rc = weir_open_memory_channel(&send, &receive, 1, sizeof(int), NULL, NULL);
    WEIR_TRY(rc);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, other, NULL);
        weir_with_scope (&scope, rc) {
            weir_scope_cancel(&scope);
            in_cancelled_scope(&nursery);
        }
        say("%s", caught(&scope));
        say("now the others");
        WEIR_DO(rc, weir_checkpoint());
        say("main");
    }
    return rc;
}

TWIN(main_task)
