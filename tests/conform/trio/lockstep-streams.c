#include "twin.h"
#include <string.h>
#include <weir/testing.h>

static int tell(const char *title, int n, const char *bytes)
{
    if (n >= 0 && bytes != NULL)
        say("%s: %.*s", title, n, bytes);
    else
        say("%s: %s", title, name(n));
    return 0;
}

static int tell_receive(const char *title, struct weir_stream *stream, size_t size)
{
    char bytes[16];
    int n = weir_receive_some(stream, bytes, size);
    return tell(title, n, bytes);
}

static int tell_send(const char *title, struct weir_stream *stream, const char *text)
{
    return tell(title, weir_send_all(stream, text, strlen(text)), NULL);
}

struct told {
    const char *title, *text;
    struct weir_stream *stream;
    size_t size;
};

static int send_task(void *arg)
{
    struct told *told = arg;
    return tell_send(told->title, told->stream, told->text);
}

static int receive_task(void *arg)
{
    struct told *told = arg;
    return tell_receive(told->title, told->stream, told->size);
}

static int wait_task(void *arg)
{
    struct told *told = arg;
    return tell(told->title, weir_wait_send_all_might_not_block(told->stream), NULL);
}

static struct weir_lockstep_stream_one_way_pair way;
static struct told sender = {"sender", "12345", &way.send, 0}, waiter = {"waiter", NULL, &way.send, 0},
                   receiver = {"receiver", NULL, &way.receive, 10};

static int in_step(void)
{
    struct weir_nursery nursery;
    char bytes[2];
    int n, rc = 0;
    weir_lockstep_stream_one_way_pair_init(&way);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_task, &sender);
        for (int i = 0; i < 3 && rc >= 0; i++) {
            rc = weir_sleep(WEIR_SECONDS(1));
            n = rc == 0 ? weir_receive_some(&way.receive, bytes, 2) : rc;
            say("receiver: %.*s %.1f", n, bytes, now());
        }
    }
    WEIR_TRY(rc);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_task, &waiter);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        tell_send("busy", &way.send, "x");
        tell("busy", weir_wait_send_all_might_not_block(&way.send), NULL);
        weir_start_soon(&nursery, receive_task, &receiver);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        tell_receive("busy", &way.receive, 1);
        tell_send("sender", &way.send, "x");
    }
    tell_send("sender", &way.send, "");
    return rc;
}

static int closed_sender(void)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_lockstep_stream_one_way_pair_init(&way);
    receiver.size = 1;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_task, &receiver);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        rc = weir_stream_close(&way.send);
    }
    tell_receive("receiver", &way.receive, 1);
    tell_send("sender", &way.send, "");
    tell("sender", weir_wait_send_all_might_not_block(&way.send), NULL);
    weir_lockstep_stream_one_way_pair_init(&way);
    sender.text = "xy";
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_task, &sender);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        weir_stream_abort(&way.send);
    }
    return rc;
}

static int closed_receiver(void)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_lockstep_stream_one_way_pair_init(&way);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_task, &sender);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        tell_receive("receiver", &way.receive, 1);
        rc = weir_stream_close(&way.receive);
    }
    tell_receive("receiver", &way.receive, 1);
    tell_send("sender", &way.send, "");
    tell("sender", weir_wait_send_all_might_not_block(&way.send), NULL);
    weir_lockstep_stream_one_way_pair_init(&way);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_task, &waiter);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        weir_stream_abort(&way.receive);
    }
    return rc;
}

static struct weir_lockstep_stream_pair pair;

struct speaker {
    const char *title;
    struct weir_stream *stream;
    const char *words[4];
};

static int shout(void *arg)
{
    struct speaker *speaker = arg;
    for (const char **word = speaker->words; *word != NULL; word++) {
        WEIR_TRY(weir_send_all(speaker->stream, *word, strlen(*word)));
        say("%s: sent %s", speaker->title, *word);
    }
    return weir_send_eof(speaker->stream);
}

static int hear(void *arg)
{
    struct told *told = arg;
    char bytes[8];
    int n;
    while ((n = weir_receive_some(told->stream, bytes, told->size)) > 0)
        say("%s: got %.*s", told->title, n, bytes);
    say("%s: end", told->title);
    return n;
}

static int both_ways(void)
{
    static struct speaker left = {"left", &pair.ends[0].stream, {"one", "two", "three"}},
                          right = {"right", &pair.ends[1].stream, {"eins", "zwei"}};
    static struct told left_ear = {"left ear", NULL, &pair.ends[0].stream, 3},
                       right_ear = {"right ear", NULL, &pair.ends[1].stream, 4};
    struct weir_nursery nursery;
    int rc = 0;
    weir_lockstep_stream_pair_init(&pair);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, shout, &left);
        weir_start_soon(&nursery, shout, &right);
        weir_start_soon(&nursery, hear, &left_ear);
        weir_start_soon(&nursery, hear, &right_ear);
    }
    return rc;
}

static int main_task(void *arg)
{
    WEIR_TRY(in_step());
    WEIR_TRY(closed_sender());
    WEIR_TRY(closed_receiver());
    return both_ways();
}

TWIN(main_task)
