/* core/testing: lockstep streams, which have no buffer. */
#include "../support/core.h"
#include <weir/testing.h>

struct sending {
    struct weir_stream *stream;
    const char *text;
};

static int send_text(void *arg)
{
    struct sending *sending = arg;
    int rc = weir_send_all(sending->stream, sending->text, strlen(sending->text));
    note("sent %s: %s", sending->text, weir_error_name(rc));
    return 0;
}

static int wait_to_send(void *arg)
{
    note("might not block: %s", weir_error_name(weir_wait_send_all_might_not_block(arg)));
    return 0;
}

static int receive_two(void *arg)
{
    char bytes[2];
    int n = weir_receive_some(arg, bytes, sizeof bytes);
    note("got %.*s%s", n > 0 ? n : 0, bytes, n < 0 ? weir_error_name(n) : "");
    return 0;
}

TASK_TEST(lockstep, a_send_ends_when_all_of_it_is_received)
{
    struct weir_lockstep_stream_one_way_pair pair;
    struct sending sending = {&pair.send, "12345"};
    struct weir_nursery nursery;
    int rc = 0;
    weir_lockstep_stream_one_way_pair_init(&pair);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_text, &sending);
        for (int i = 0; i < 3; i++) {
            WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
            WEIR_DO(rc, receive_two(&pair.receive));
        }
    }
    cr_expect_str_eq(notes, "got 12 got 34 got 5 sent 12345: ok");
    return rc;
}

TASK_TEST(lockstep, a_receiver_is_what_one_waits_for_before_sending)
{
    struct weir_lockstep_stream_one_way_pair pair;
    struct sending sending = {&pair.send, "1"};
    struct weir_nursery nursery;
    int rc = 0;
    weir_lockstep_stream_one_way_pair_init(&pair);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_to_send, &pair.send);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        cr_expect_str_eq(notes, "");
        cr_expect_eq(weir_wait_send_all_might_not_block(&pair.send), -EBUSY);
        cr_expect_eq(weir_send_all(&pair.send, "x", 1), -EBUSY);
        weir_start_soon(&nursery, receive_two, &pair.receive);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        cr_expect_str_eq(notes, "might not block: ok");
        cr_expect_eq(weir_receive_some(&pair.receive, &(char){0}, 1), -EBUSY);
        rc = send_text(&sending);
    }
    cr_expect_str_eq(notes, "might not block: ok got 1 sent 1: ok");
    return rc;
}

TASK_TEST(lockstep, a_cancelled_send_takes_the_rest_back)
{
    struct weir_lockstep_stream_one_way_pair pair;
    struct sending sending = {&pair.send, "abc"};
    struct weir_nursery nursery;
    int rc = 0;
    weir_lockstep_stream_one_way_pair_init(&pair);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_text, &sending);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        WEIR_DO(rc, receive_two(&pair.receive));
        weir_nursery_cancel(&nursery);
    }
    sending.text = "de";
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_two, &pair.receive);
        rc = send_text(&sending);
    }
    cr_expect_str_eq(notes, "got ab sent abc: Cancelled got de sent de: ok");
    return rc;
}

TASK_TEST(lockstep, closing_either_side_wakes_the_other)
{
    struct weir_lockstep_stream_one_way_pair pair;
    struct sending sending = {&pair.send, "abc"};
    struct weir_nursery nursery;
    int rc = 0;
    weir_lockstep_stream_one_way_pair_init(&pair);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_text, &sending);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        WEIR_DO(rc, receive_two(&pair.receive));
        rc = weir_stream_close(&pair.receive);
    }
    cr_expect_eq(weir_send_all(&pair.send, "", 0), -EPIPE);
    cr_expect_eq(weir_wait_send_all_might_not_block(&pair.send), 0);
    cr_expect_eq(weir_receive_some(&pair.receive, &(char){0}, 1), -EBADF);
    weir_lockstep_stream_one_way_pair_init(&pair);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, receive_two, &pair.receive);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        rc = weir_stream_close(&pair.send);
    }
    cr_expect_eq(weir_receive_some(&pair.receive, &(char){0}, 1), 0, "again and again");
    cr_expect_eq(weir_send_all(&pair.send, "", 0), -EBADF);
    cr_expect_str_eq(notes, "got ab sent abc: BrokenResourceError got ");
    return rc;
}

TASK_TEST(lockstep, pairs_go_both_ways)
{
    struct weir_lockstep_stream_pair pair;
    struct sending there = {&pair.ends[0].stream, "to"}, back = {&pair.ends[1].stream, "fro"};
    struct weir_nursery nursery;
    int rc = 0;
    weir_lockstep_stream_pair_init(&pair);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, send_text, &there);
        weir_start_soon(&nursery, send_text, &back);
        WEIR_DO(rc, receive_two(&pair.ends[1].stream));
        WEIR_DO(rc, receive_two(&pair.ends[0].stream));
        rc = receive_two(&pair.ends[0].stream);
    }
    cr_expect(strstr(notes, "sent to: ok") != NULL && strstr(notes, "sent fro: ok") != NULL, "%s", notes);
    return rc;
}
