/* core/sync: closing the ends of memory channels. DESIGN section 4, point 8. */
#include "../support/core.h"

struct ends {
    struct weir_send_channel send;
    struct weir_receive_channel receive;
};

static unsigned destroyed;
static uint64_t destroyed_sum;

static void destroy(void *message, void *arg)
{
    destroyed++;
    destroyed_sum += *(uint64_t *)message;
    cr_expect_eq(arg, &destroyed);
}

static void open_in(struct ends *ends, size_t capacity)
{
    cr_assert_eq(weir_open_memory_channel(&ends->send, &ends->receive, capacity, sizeof(uint64_t), destroy, &destroyed),
                 0);
}

static void close_both(struct ends *ends)
{
    weir_send_channel_close(&ends->send);
    weir_receive_channel_close(&ends->receive);
}

static int send_one(void *arg)
{
    uint64_t message = 7;
    note("send %s", weir_error_name(weir_send(arg, &message)));
    return 0;
}

static int receive_one(void *arg)
{
    uint64_t message = 0;
    int rc = weir_receive(arg, &message);
    if (rc == 0)
        note("got %lu", message);
    else
        note("receive %s", weir_error_name(rc));
    return 0;
}

TASK_TEST(close, wakes_who_waits_on_that_end)
{
    struct ends ends, clones;
    struct weir_nursery nursery;
    int rc = 0;
    open_in(&ends, 0);
    cr_assert_eq(weir_send_channel_clone(&ends.send, &clones.send), 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_one, &ends.send);
        weir_start_soon(&nursery, send_one, &clones.send);
        WEIR_DO(rc, weir_checkpoint());
        weir_send_channel_close(&ends.send);
        WEIR_DO(rc, weir_checkpoint());
        cr_expect_str_eq(notes, "send ClosedResourceError"); /* the clone's waits on */
        weir_start_soon(&nursery, receive_one, &ends.receive);
    }
    cr_expect_str_eq(notes, "send ClosedResourceError got 7 send ok");
    notes[0] = '\0';
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_one, &ends.receive);
        WEIR_DO(rc, weir_checkpoint());
        weir_receive_channel_close(&ends.receive);
    }
    cr_expect_str_eq(notes, "receive ClosedResourceError");
    weir_send_channel_close(&clones.send);
    return rc;
}

TASK_TEST(close, of_the_last_sender_is_end_of_channel_after_the_buffer_drains)
{
    struct ends ends;
    struct weir_send_channel clone;
    uint64_t message = 3;
    open_in(&ends, 4);
    cr_assert_eq(weir_send_channel_clone(&ends.send, &clone), 0);
    cr_assert_eq(weir_send(&ends.send, &message), 0);
    weir_send_channel_close(&ends.send);
    weir_send_channel_close(&ends.send); /* again: nothing */
    cr_assert_eq(weir_send(&clone, &message), 0);
    weir_send_channel_close(&clone);
    for (int i = 0; i < 2; i++)
        cr_expect_eq(weir_receive(&ends.receive, &message), 0);
    cr_expect_eq(weir_receive(&ends.receive, &message), -ENODATA);
    cr_expect_eq(weir_receive_nowait(&ends.receive, &message), -ENODATA);
    weir_receive_channel_close(&ends.receive);
    return 0;
}

TASK_TEST(close, of_the_last_sender_wakes_all_receivers)
{
    struct ends ends;
    struct weir_receive_channel clone;
    struct weir_nursery nursery;
    int rc = 0;
    open_in(&ends, 0);
    cr_assert_eq(weir_receive_channel_clone(&ends.receive, &clone), 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_one, &ends.receive);
        weir_start_soon(&nursery, receive_one, &clone);
        WEIR_DO(rc, weir_checkpoint());
        weir_send_channel_close(&ends.send);
    }
    cr_expect_str_eq(notes, "receive EndOfChannel receive EndOfChannel");
    weir_receive_channel_close(&ends.receive);
    weir_receive_channel_close(&clone);
    return rc;
}

TASK_TEST(close, of_the_last_receiver_breaks_the_senders)
{
    struct ends ends;
    struct weir_receive_channel clone;
    struct weir_nursery nursery;
    uint64_t message = 0;
    int rc = 0;
    open_in(&ends, 0);
    cr_assert_eq(weir_receive_channel_clone(&ends.receive, &clone), 0);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_one, &ends.send);
        weir_start_soon(&nursery, send_one, &ends.send);
        WEIR_DO(rc, weir_checkpoint());
        weir_receive_channel_close(&ends.receive);
        WEIR_DO(rc, weir_checkpoint());
        cr_expect_str_eq(notes, "");
        weir_receive_channel_close(&clone);
    }
    cr_expect_str_eq(notes, "send BrokenResourceError send BrokenResourceError");
    cr_expect_eq(weir_send(&ends.send, &message), -EPIPE);
    cr_expect_eq(weir_send_nowait(&ends.send, &message), -EPIPE);
    cr_expect_eq(destroyed, 0, "messages of waiting senders are still theirs");
    weir_send_channel_close(&ends.send);
    return rc;
}

TASK_TEST(close, messages_that_die_in_the_channel_meet_their_destructor)
{
    struct ends ends;
    uint64_t got;
    open_in(&ends, 8);
    for (uint64_t i = 1; i <= 5; i++)
        cr_assert_eq(weir_send_nowait(&ends.send, &i), 0);
    cr_assert_eq(weir_receive_nowait(&ends.receive, &got), 0);
    weir_send_channel_close(&ends.send);
    cr_expect_eq(destroyed, 0);
    weir_receive_channel_close(&ends.receive);
    cr_expect_eq(destroyed, 4);
    cr_expect_eq(destroyed_sum, 2 + 3 + 4 + 5);
    return 0;
}

static void close_sender(void *message, void *arg)
{
    weir_send_channel_close(*(struct weir_send_channel **)message);
}

TASK_TEST(close, a_channel_may_hold_its_own_last_sender)
{
    static struct weir_send_channel inside;
    struct weir_send_channel send, *message = &inside;
    struct weir_receive_channel receive;
    cr_assert_eq(weir_open_memory_channel(&send, &receive, 1, sizeof message, close_sender, NULL), 0);
    cr_assert_eq(weir_send_channel_clone(&send, &inside), 0);
    cr_assert_eq(weir_send_nowait(&send, &message), 0);
    weir_send_channel_close(&send);
    weir_receive_channel_close(&receive);
    cr_expect_null(inside.end.channel);
    return 0;
}

TASK_TEST(channel, a_closed_end_cannot_be_cloned)
{
    struct ends ends, clones;
    open_in(&ends, 0);
    close_both(&ends);
    cr_expect_eq(weir_send_channel_clone(&ends.send, &clones.send), -EBADF);
    cr_expect_eq(weir_receive_channel_clone(&ends.receive, &clones.receive), -EBADF);
    return 0;
}
