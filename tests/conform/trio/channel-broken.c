#include "twin.h"

static struct weir_send_channel send, clone;
static struct weir_receive_channel receive, other;

struct attempt {
    const char *who;
    struct weir_send_channel *send;
    struct weir_receive_channel *receive;
    int message;
};

static int attempt(void *arg)
{
    struct attempt *a = arg;
    int rc = a->send != NULL ? weir_send(a->send, &a->message) : weir_receive(a->receive, &a->message);
    if (rc < 0)
        say("%s: %s %.1f", a->who, name(rc), now());
    else if (a->send != NULL)
        say("%s: None", a->who);
    else
        say("%s: %d", a->who, a->message);
    return rc == -ECANCELED ? rc : 0;
}

static void say_statistics(bool closed)
{
    struct weir_channel_statistics s;
    weir_send_channel_statistics(&send, &s);
    say("main: %zu %u", s.buffered, closed ? s.open_receive_channels : s.tasks_waiting_send);
}

static int receiver_goes(void)
{
    static struct attempt sends[] = {{"a", &send, NULL, 0}, {"a", &send, NULL, 1}, {"b", &send, NULL, 2}};
    struct weir_nursery nursery;
    int rc = weir_open_memory_channel(&send, &receive, 2, sizeof(int), NULL, NULL);
    WEIR_TRY(rc);
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 3 && rc == 0; i++) {
            weir_start_soon(&nursery, attempt, &sends[i]);
            rc = weir_checkpoint();
        }
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        say_statistics(false);
        weir_receive_channel_close(&receive);
        say_statistics(true);
    }
    WEIR_TRY(rc);
    WEIR_TRY(attempt(&(struct attempt){"main", &send, NULL, 4}));
    weir_send_channel_close(&send);
    return attempt(&(struct attempt){"main", &send, NULL, 5});
}

static int end_goes(void)
{
    static struct attempt c = {"c", &send, NULL, 6}, d = {"d", &clone, NULL, 7}, e = {"e", NULL, &receive, 0},
                          f = {"f", NULL, &other, 0}, g = {"g", NULL, &other, 0};
    struct weir_nursery nursery;
    int message = 8, rc = weir_open_memory_channel(&send, &receive, 0, sizeof(int), NULL, NULL);
    WEIR_TRY(rc);
    WEIR_TRY(weir_send_channel_clone(&send, &clone));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, attempt, &c);
        weir_start_soon(&nursery, attempt, &d);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_send_channel_close(&send);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        WEIR_DO(rc, weir_receive(&receive, &d.message));
        say("main: %d", d.message);
    }
    WEIR_TRY(rc);
    WEIR_TRY(weir_receive_channel_clone(&receive, &other));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, attempt, &e);
        weir_start_soon(&nursery, attempt, &f);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_receive_channel_close(&receive);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        WEIR_DO(rc, weir_send_nowait(&clone, &message));
        weir_start_soon(&nursery, attempt, &g);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_send_channel_close(&clone);
    }
    rc = rc < 0 ? rc : attempt(&(struct attempt){"main", NULL, &other, 0});
    weir_receive_channel_close(&other);
    return rc;
}

static int main_task(void *arg)
{
    WEIR_TRY(receiver_goes());
    return end_goes();
}

TWIN(main_task)
