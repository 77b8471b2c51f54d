#include "twin.h"
#include <weir/testing.h>

static struct weir_event event, other;
static struct weir_send_channel sender;
static struct weir_receive_channel receiver;
static struct weir_memory_stream_one_way_pair pair;

static const char *outcome(int rc)
{
    return rc == 0 ? "holds" : rc == -EPROTO ? "does not hold" : name(rc);
}

static void judge(const char *title, int (*call)(void))
{
    int expected = 0, forbidden = 0;
    weir_assert_checkpoints(expected) expected = call();
    weir_assert_no_checkpoints(forbidden) forbidden = call();
    say("%s: %s, %s", title, outcome(expected), outcome(forbidden));
}

static int nothing(void)
{
    return 0;
}

/* Trio's AssertionError comes instead of the error; here the error stays, and a line on stderr tells. */
static int fails(void)
{
    return -EIO;
}

static int fails_late(void)
{
    static int calls;
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    return calls++ == 0 ? -EIO : 0;
}

static int cancel_shielded_checkpoint(void)
{
    weir_cancel_shielded_checkpoint();
    return 0;
}

static int sleep_one(void)
{
    return weir_sleep(WEIR_SECONDS(1));
}

static int sleep_zero(void)
{
    return weir_sleep(0);
}

static int event_wait(void)
{
    return weir_event_wait(&event);
}

static int event_set(void)
{
    weir_event_set(&other);
    return 0;
}

static int send_three(void)
{
    return weir_send(&sender, &(int){3});
}

static int send_nowait(void)
{
    return weir_send_nowait(&sender, &(int){2});
}

static int receive_one(void)
{
    int value;
    return weir_receive(&receiver, &value);
}

static int memory_send(void)
{
    return weir_send_all(&pair.send.stream, "x", 1);
}

static int memory_receive(void)
{
    char bytes[2];
    int n = weir_receive_some(&pair.receive.stream, bytes, 2);
    return n < 0 ? n : 0;
}

static int memory_close(void)
{
    return weir_stream_close(&pair.send.stream);
}

static int cancelled(void)
{
    struct weir_scope scope;
    int rc = 0;
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        rc = weir_checkpoint_if_cancelled();
    }
    return rc;
}

static int times_out(void)
{
    struct weir_scope scope;
    int rc = 0;
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc) {
        rc = weir_sleep_forever();
    }
    return rc;
}

static int all_blocked(void)
{
    return weir_wait_all_tasks_blocked(0);
}

static int main_task(void *arg)
{
    if (freopen("/dev/null", "w", stderr) == NULL) /* what does not hold says so there */
        return -errno;
    weir_event_init(&event);
    weir_event_init(&other);
    weir_event_set(&event);
    WEIR_TRY(weir_open_memory_channel(&sender, &receiver, 10, sizeof(int), NULL, NULL));
    WEIR_TRY(weir_send_nowait(&sender, &(int){1}));
    weir_memory_stream_one_way_pair_init(&pair);
    WEIR_TRY(weir_memory_stream_put_data(&pair.receive, "there", 5));
    judge("nothing", nothing);
    judge("fails", fails);
    judge("fails late", fails_late);
    judge("checkpoint", weir_checkpoint);
    judge("checkpoint_if_cancelled", weir_checkpoint_if_cancelled);
    judge("cancel_shielded_checkpoint", cancel_shielded_checkpoint);
    judge("sleep", sleep_one);
    judge("sleep 0", sleep_zero);
    judge("event.wait", event_wait);
    judge("event.set", event_set);
    judge("send", send_three);
    judge("send_nowait", send_nowait);
    judge("receive", receive_one);
    judge("memory send_all", memory_send);
    judge("memory receive_some", memory_receive);
    judge("memory close", memory_close);
    judge("cancelled", cancelled);
    judge("times out", times_out);
    judge("wait_all_tasks_blocked", all_blocked);
    weir_send_channel_close(&sender);
    weir_receive_channel_close(&receiver);
    weir_memory_stream_one_way_pair_free(&pair);
    return 0;
}

TWIN(main_task)
