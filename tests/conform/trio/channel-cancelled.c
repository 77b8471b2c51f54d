#include "twin.h"

static struct weir_send_channel send;
static struct weir_receive_channel receive;

struct end {
    const char *message; /* or the receiver's number */
    double seconds;
};

static int run_sender(void *arg)
{
    struct end *end = arg;
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(end->seconds), rc)
        rc = weir_send(&send, &end->message);
    say("sender %s: %s %.2f", end->message, caught(&scope), now());
    return rc;
}

static int run_receiver(void *arg)
{
    struct end *end = arg;
    struct weir_scope scope;
    const char *message;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(end->seconds), rc) {
        WEIR_DO(rc, weir_receive(&receive, &message));
        say("receiver %s: got %s", end->message, message);
    }
    say("receiver %s: %s %.2f", end->message, caught(&scope), now());
    return rc;
}

static int start_ends(struct weir_nursery *nursery, int (*fn)(void *), struct end *ends)
{
    struct weir_channel_statistics s;
    for (int i = 0; i < 4; i++) {
        weir_start_soon(nursery, fn, &ends[i]);
        WEIR_TRY(weir_sleep(WEIR_SECONDS(0.25)));
    }
    WEIR_TRY(weir_sleep(WEIR_SECONDS(4)));
    weir_send_channel_statistics(&send, &s);
    say("main: waiting %u", s.tasks_waiting_send + s.tasks_waiting_receive);
    return 0;
}

static int senders(struct weir_nursery *nursery)
{
    static struct end ends[] = {{"0", 10}, {"1", 2}, {"2", 10}, {"3", 3}};
    const char *first, *second;
    WEIR_TRY(start_ends(nursery, run_sender, ends));
    WEIR_TRY(weir_receive_nowait(&receive, &first));
    WEIR_TRY(weir_receive_nowait(&receive, &second));
    say("main: %s %s", first, second);
    return 0;
}

static int receivers(struct weir_nursery *nursery)
{
    static struct end ends[] = {{"0", 2}, {"1", 10}, {"2", 2}, {"3", 10}};
    static const char *const messages[] = {"first", "second"};
    WEIR_TRY(start_ends(nursery, run_receiver, ends));
    WEIR_TRY(weir_send_nowait(&send, &messages[0]));
    return weir_send_nowait(&send, &messages[1]);
}

static int full(struct weir_nursery *nursery)
{
    static struct end waited = {"waited", 1}, fits = {"fits", 1};
    struct weir_channel_statistics s;
    const char *message = "buffered";
    WEIR_TRY(weir_send_nowait(&send, &message));
    weir_start_soon(nursery, run_sender, &waited);
    WEIR_TRY(weir_sleep(WEIR_SECONDS(2)));
    WEIR_TRY(weir_receive(&receive, &message));
    weir_send_channel_statistics(&send, &s);
    say("main: %s %zu", message, s.buffered);
    weir_start_soon(nursery, run_sender, &fits);
    return 0;
}

static int main_task(void *arg)
{
    static int (*const parts[])(struct weir_nursery *) = {senders, receivers, full};
    for (int part = 0; part < 3; part++) {
        struct weir_nursery nursery;
        int rc = weir_open_memory_channel(&send, &receive, part == 2, sizeof(char *), NULL, NULL);
        WEIR_TRY(rc);
        weir_with_nursery (&nursery, rc)
            rc = parts[part](&nursery);
        weir_send_channel_close(&send);
        weir_receive_channel_close(&receive);
        WEIR_TRY(rc);
    }
    return 0;
}

TWIN(main_task)
