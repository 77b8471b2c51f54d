/* core/async: queues: first in first out, last in first out, and by priority. */
#include "../support/core.h"
#include "../support/no_memory.h"
#include <stdlib.h>
#include <weir/testing.h>

static int by_tens(const void *a, const void *b, void *arg)
{
    return *(const int *)a / 10 - *(const int *)b / 10;
}

static void destroyed(void *message, void *arg)
{
    note("%d!", *(int *)message);
    if (arg != NULL)
        cr_expect_lt(weir_queue_put_nowait(arg, message), 0); /* it is no way back */
}

static int open_ints(struct weir_queue *queue, int kind, size_t maxsize)
{
    switch (kind) {
    case WEIR_QUEUE_FIFO:
        return weir_queue_open(queue, maxsize, sizeof(int), destroyed, queue);
    case WEIR_QUEUE_LIFO:
        return weir_lifo_queue_open(queue, maxsize, sizeof(int), destroyed, queue);
    default:
        return weir_priority_queue_open(queue, maxsize, sizeof(int), by_tens, destroyed, queue);
    }
}

static int put(struct weir_queue *queue, int message)
{
    return weir_queue_put_nowait(queue, &message);
}

static int get(struct weir_queue *queue)
{
    int message = -1, rc = weir_queue_get_nowait(queue, &message);
    return rc < 0 ? rc : message;
}

/* ---- order ---- */

TASK_TEST(queue, first_in_is_first_out)
{
    struct weir_queue queue;
    WEIR_TRY(open_ints(&queue, WEIR_QUEUE_FIFO, 3));
    for (int round = 0; round < 5; round++) { /* past the end of the ring */
        for (int i = 0; i < 3; i++)
            cr_expect_eq(put(&queue, i), 0);
        cr_expect_eq(put(&queue, 9), -EAGAIN);
        cr_expect(weir_queue_is_full(&queue));
        cr_expect_eq(get(&queue), 0);
        cr_expect_eq(put(&queue, 3), 0);
        for (int i = 1; i <= 3; i++)
            cr_expect_eq(get(&queue), i);
        cr_expect_eq(get(&queue), -EAGAIN);
        cr_expect(weir_queue_is_empty(&queue));
    }
    weir_queue_close(&queue);
    return 0;
}

TASK_TEST(queue, last_in_is_first_out)
{
    struct weir_queue queue;
    WEIR_TRY(open_ints(&queue, WEIR_QUEUE_LIFO, 3));
    for (int i = 0; i < 3; i++)
        cr_expect_eq(put(&queue, i), 0);
    cr_expect_eq(put(&queue, 9), -EAGAIN);
    cr_expect_eq(get(&queue), 2);
    cr_expect_eq(put(&queue, 5), 0);
    cr_expect_eq(get(&queue), 5);
    cr_expect_eq(get(&queue), 1);
    cr_expect_eq(get(&queue), 0);
    cr_expect_eq(get(&queue), -EAGAIN);
    weir_queue_close(&queue);
    return 0;
}

TASK_TEST(queue, by_priority_the_least_is_first_and_of_equals_the_oldest)
{
    struct weir_queue queue;
    struct weir_rng rng;
    int next[10] = {0}, last = 0;
    WEIR_TRY(open_ints(&queue, WEIR_QUEUE_PRIORITY, 0));
    weir_rng_seed(&rng, 7);
    for (int i = 0; i < 2000; i++) { /* tens are the priority, units number those of one */
        int tens = (int)weir_rng_below(&rng, 10);
        cr_expect_eq(put(&queue, tens * 10 + next[tens]++ % 10), 0);
    }
    cr_expect_eq(weir_queue_size(&queue), 2000);
    for (int tens = 0; tens < 10; tens++)
        for (int unit = 0; next[tens]-- > 0; unit = (unit + 1) % 10) {
            last = get(&queue);
            cr_assert_eq(last, tens * 10 + unit);
        }
    cr_expect_eq(get(&queue), -EAGAIN);
    weir_queue_close(&queue);
    return 0;
}

struct odd { /* of an awkward size */
    char letters[13];
};

static int by_letter(const void *a, const void *b, void *arg)
{
    return ((const struct odd *)a)->letters[0] - ((const struct odd *)b)->letters[0];
}

TASK_TEST(queue, messages_of_any_size_are_copied_whole)
{
    static const char order[] = "hgfedcbaabcdefgh";
    struct weir_queue queue;
    struct odd odd, out;
    WEIR_TRY(weir_priority_queue_open(&queue, 16, sizeof odd, by_letter, NULL, NULL));
    for (int i = 0; i < 16; i++) {
        memset(&odd, order[i], sizeof odd);
        cr_expect_eq(weir_queue_put_nowait(&queue, &odd), 0);
    }
    for (int i = 0; i < 16; i++) {
        cr_expect_eq(weir_queue_get_nowait(&queue, &out), 0);
        for (size_t j = 0; j < sizeof out; j++)
            cr_assert_eq(out.letters[j], 'a' + i / 2);
    }
    weir_queue_close(&queue);
    return 0;
}

TASK_TEST(queue, without_a_limit_it_grows)
{
    struct weir_queue queue;
    struct weir_queue_statistics statistics;
    for (int kind = WEIR_QUEUE_FIFO; kind <= WEIR_QUEUE_PRIORITY; kind++) {
        WEIR_TRY(open_ints(&queue, kind, 0));
        for (int i = 0; i < 10; i++)
            cr_expect_eq(put(&queue, i), 0);
        for (int i = 0; i < 5; i++)
            cr_expect_geq(get(&queue), 0);
        for (int i = 0; i < 100; i++) /* while the ring is wrapped round */
            cr_expect_eq(put(&queue, 10 + i), 0);
        weir_queue_statistics(&queue, &statistics);
        cr_expect(statistics.size == 105 && statistics.maxsize == SIZE_MAX && statistics.unfinished == 110);
        cr_expect_not(weir_queue_is_full(&queue));
        cr_expect_eq(get(&queue), kind == WEIR_QUEUE_LIFO ? 109 : 5);
        notes[0] = '\0';
        weir_queue_close(&queue);
        notes[0] = '\0';
    }
    return 0;
}

TASK_TEST(queue, without_memory_it_says_so_and_loses_nothing)
{
    struct weir_queue queue;
    for (int kind = WEIR_QUEUE_FIFO; kind <= WEIR_QUEUE_PRIORITY; kind++) {
        int count = 0, rc, last = -1;
        mallocs_left = 0;
        cr_expect_eq(open_ints(&queue, kind, 4), -ENOMEM);
        mallocs_left = -1;
        WEIR_TRY(open_ints(&queue, kind, 0));
        mallocs_left = 1; /* it may grow once */
        while ((rc = put(&queue, count)) == 0)
            count++;
        cr_expect_eq(rc, -ENOMEM);
        cr_expect_eq(weir_queue_put(&queue, &count), -ENOMEM);
        mallocs_left = -1;
        cr_expect_eq(weir_queue_size(&queue), (size_t)count);
        cr_expect_eq(put(&queue, count), 0); /* memory came back */
        for (int i = 0; i <= count; i++) {
            int message = get(&queue);
            cr_expect_eq(message, kind == WEIR_QUEUE_LIFO ? count - i : i);
            last = message;
        }
        cr_expect_eq(last, kind == WEIR_QUEUE_LIFO ? 0 : count);
        weir_queue_close(&queue);
    }
    return 0;
}

TASK_TEST(queue, wants_messages_of_some_size)
{
    struct weir_queue queue;
    cr_expect_eq(weir_queue_open(&queue, 1, 0, NULL, NULL), -EINVAL);
    cr_expect_eq(weir_lifo_queue_open(&queue, 1, (1 << 20) + 1, NULL, NULL), -EINVAL);
    cr_expect_eq(weir_priority_queue_open(&queue, SIZE_MAX / 2, 1 << 20, by_tens, NULL, NULL), -ENOMEM);
    return 0;
}

/* ---- waiting ---- */

static int get_and_note(void *arg)
{
    int message = -1, rc = weir_queue_get(arg, &message);
    if (rc == 0)
        note("got:%d@%g", message, now());
    else
        note("%s", weir_error_name(rc));
    return rc == -ECANCELED ? rc : 0;
}

static int put_and_note(void *arg)
{
    static int message = 100;
    int mine = message++, rc = weir_queue_put(arg, &mine);
    note("put:%s@%g", weir_error_name(rc), now());
    return rc == -ECANCELED ? rc : 0;
}

TASK_TEST(queue, who_waits_to_get_gets_in_the_order_of_coming)
{
    struct weir_queue queue;
    struct weir_nursery nursery;
    struct weir_queue_statistics statistics;
    int rc = 0;
    WEIR_TRY(open_ints(&queue, WEIR_QUEUE_FIFO, 2));
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < 3; i++)
            weir_start_soon(&nursery, get_and_note, &queue);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_queue_statistics(&queue, &statistics);
        cr_expect_eq(statistics.tasks_waiting_get, 3);
        for (int i = 1; i <= 3; i++) {
            WEIR_TRY(put(&queue, i));
            if (i == 2)
                WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
        }
    }
    cr_expect_str_eq(notes, "got:1@1 got:2@1 got:3@2");
    weir_queue_close(&queue);
    return rc;
}

TASK_TEST(queue, who_waits_to_put_puts_when_there_is_room)
{
    struct weir_queue queue;
    struct weir_nursery nursery;
    struct weir_queue_statistics statistics;
    int rc = 0;
    WEIR_TRY(open_ints(&queue, WEIR_QUEUE_FIFO, 1));
    WEIR_TRY(put(&queue, 1));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, put_and_note, &queue);
        weir_start_soon(&nursery, put_and_note, &queue);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_queue_statistics(&queue, &statistics);
        cr_expect(statistics.tasks_waiting_put == 2 && statistics.size == 1 && statistics.unfinished == 1);
        cr_expect_eq(get(&queue), 1);
        cr_expect_eq(put(&queue, 9), -EAGAIN); /* the place went to who waits */
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        cr_expect_eq(get(&queue), 100);
        cr_expect_eq(get(&queue), 101);
        cr_expect_eq(get(&queue), -EAGAIN);
    }
    cr_expect_str_eq(notes, "put:ok@1 put:ok@2");
    weir_queue_close(&queue);
    return rc;
}

TASK_TEST(queue, who_waited_takes_what_comes_first_when_he_runs)
{
    struct weir_queue queue;
    struct weir_nursery nursery;
    for (int kind = WEIR_QUEUE_FIFO; kind <= WEIR_QUEUE_PRIORITY; kind++) {
        int rc = 0;
        WEIR_TRY(open_ints(&queue, kind, 0));
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, get_and_note, &queue);
            WEIR_DO(rc, weir_checkpoint());
            WEIR_DO(rc, put(&queue, 50));
            WEIR_DO(rc, put(&queue, 10));
            WEIR_DO(rc, put(&queue, 30));
        }
        weir_queue_shutdown(&queue, false);
        cr_expect_eq(weir_queue_size(&queue), 2);
        while (get(&queue) >= 0)
            continue;
        weir_queue_close(&queue);
        WEIR_TRY(rc);
    }
    cr_expect_str_eq(notes, "got:50@0 got:30@0 got:10@0");
    return 0;
}

TASK_TEST(queue, what_is_promised_to_one_cannot_be_taken_by_another)
{
    struct weir_queue queue;
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(open_ints(&queue, WEIR_QUEUE_FIFO, 1));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, get_and_note, &queue);
        WEIR_DO(rc, weir_checkpoint());
        WEIR_DO(rc, put(&queue, 1));
        cr_expect_eq(get(&queue), -EAGAIN);
        weir_nursery_cancel(&nursery); /* nor is it lost: he was woken first */
    }
    cr_expect_str_eq(notes, "got:1@0");
    weir_queue_close(&queue);
    return rc;
}

TASK_TEST(queue, a_cancelled_wait_takes_and_puts_nothing)
{
    struct weir_queue queue;
    struct weir_scope scope;
    struct weir_queue_statistics statistics;
    int rc = 0, message = 5;
    WEIR_TRY(open_ints(&queue, WEIR_QUEUE_FIFO, 1));
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_queue_get(&queue, &message);
    cr_expect(scope.cancelled_caught && message == 5);
    WEIR_TRY(put(&queue, 1));
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_queue_put(&queue, &message);
    cr_expect(scope.cancelled_caught);
    weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
        rc = weir_queue_join(&queue);
    cr_expect(scope.cancelled_caught);
    weir_queue_statistics(&queue, &statistics);
    cr_expect(statistics.tasks_waiting_get == 0 && statistics.tasks_waiting_put == 0 &&
              statistics.tasks_waiting_join == 0);
    cr_expect_eq(get(&queue), 1);
    cr_expect_eq(get(&queue), -EAGAIN);
    weir_queue_close(&queue);
    return rc;
}

TASK_TEST(queue, its_calls_are_checkpoints_on_their_fast_paths_too)
{
    struct weir_queue queue;
    struct weir_scope scope;
    int rc = 0, message = 5;
    WEIR_TRY(open_ints(&queue, WEIR_QUEUE_FIFO, 2));
    weir_with_scope (&scope, rc) {
        weir_scope_cancel(&scope);
        cr_expect_eq(weir_queue_put(&queue, &message), -ECANCELED);
        cr_expect_eq(put(&queue, 1), 0); /* this is none */
        cr_expect_eq(weir_queue_get(&queue, &message), -ECANCELED);
        cr_expect_eq(get(&queue), 1);
        cr_expect_eq(weir_queue_task_done(&queue), 0);
        cr_expect_eq(weir_queue_join(&queue), -ECANCELED);
    }
    cr_expect_eq(weir_queue_put(&queue, &message), 0);
    cr_expect_eq(weir_queue_get(&queue, &message), 0);
    weir_queue_close(&queue);
    return rc;
}

TASK_TEST(queue, its_other_calls_are_none)
{
    struct weir_queue queue;
    int rc = 0, message = 1;
    weir_assert_no_checkpoints(rc)
    {
        WEIR_DO(rc, open_ints(&queue, WEIR_QUEUE_FIFO, 1));
        WEIR_DO(rc, put(&queue, 1));
        WEIR_DO(rc, get(&queue));
        WEIR_DO(rc, weir_queue_task_done(&queue));
    }
    weir_assert_checkpoints(rc) rc = weir_queue_put(&queue, &message);
    weir_assert_checkpoints(rc) rc = weir_queue_get(&queue, &message);
    WEIR_TRY(weir_queue_task_done(&queue));
    weir_assert_checkpoints(rc) rc = weir_queue_join(&queue);
    weir_assert_no_checkpoints(rc)
    {
        weir_queue_shutdown(&queue, true);
        weir_queue_close(&queue);
    }
    weir_assert_checkpoints(rc) rc = weir_queue_get(&queue, &message) == -EBADF ? 0 : -EIO;
    return rc;
}

/* ---- the work on messages ---- */

static int work(void *arg)
{
    struct weir_queue *queue = arg;
    int seconds;
    for (;;) {
        WEIR_TRY(weir_queue_get(queue, &seconds));
        WEIR_TRY(weir_sleep(WEIR_SECONDS(seconds)));
        WEIR_TRY(weir_queue_task_done(queue));
    }
}

static int join_and_note(void *arg)
{
    int rc = weir_queue_join(arg);
    note("joined:%s@%g", weir_error_name(rc), now());
    return 0;
}

TASK_TEST(queue, join_waits_until_all_work_is_done)
{
    struct weir_queue queue;
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(open_ints(&queue, WEIR_QUEUE_FIFO, 0));
    cr_expect_eq(weir_queue_join(&queue), 0); /* there is none */
    cr_expect_eq(weir_queue_task_done(&queue), -EINVAL);
    for (int i = 1; i <= 4; i++)
        WEIR_TRY(put(&queue, i));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, work, &queue);
        weir_start_soon(&nursery, work, &queue);
        weir_start_soon(&nursery, join_and_note, &queue);
        WEIR_DO(rc, weir_queue_join(&queue));
        cr_expect_eq(now(), 6);
        weir_nursery_cancel(&nursery);
    }
    cr_expect_str_eq(notes, "joined:ok@6");
    cr_expect_eq(weir_queue_task_done(&queue), -EINVAL); /* once too often */
    weir_queue_close(&queue);
    return rc;
}

/* ---- the end ---- */

TASK_TEST(queue, shut_down_it_gives_what_it_has_and_takes_no_more)
{
    struct weir_queue queue;
    int message = 7;
    WEIR_TRY(open_ints(&queue, WEIR_QUEUE_FIFO, 2));
    WEIR_TRY(put(&queue, 1));
    weir_queue_shutdown(&queue, false);
    cr_expect_eq(put(&queue, 2), -EPIPE);
    cr_expect_eq(weir_queue_put(&queue, &message), -EPIPE);
    cr_expect_eq(weir_queue_get(&queue, &message), 0);
    cr_expect_eq(message, 1);
    cr_expect_eq(weir_queue_get(&queue, &message), -ENODATA);
    cr_expect_eq(get(&queue), -ENODATA);
    cr_expect_eq(weir_queue_task_done(&queue), 0);
    cr_expect_eq(weir_queue_join(&queue), 0);
    weir_queue_close(&queue);
    cr_expect_str_eq(notes, "");
    return 0;
}

TASK_TEST(queue, shut_down_it_wakes_who_waits)
{
    struct weir_queue full, empty;
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(open_ints(&full, WEIR_QUEUE_FIFO, 1));
    WEIR_TRY(open_ints(&empty, WEIR_QUEUE_FIFO, 1));
    WEIR_TRY(put(&full, 1));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, put_and_note, &full);
        weir_start_soon(&nursery, get_and_note, &empty);
        weir_start_soon(&nursery, join_and_note, &full);
        WEIR_DO(rc, weir_checkpoint());
        weir_queue_shutdown(&full, false);
        weir_queue_shutdown(&empty, false);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_queue_shutdown(&full, true); /* whose work counts as done */
    }
    cr_expect_str_eq(notes, "put:BrokenResourceError@0 EndOfChannel 1! joined:ok@1");
    weir_queue_close(&full);
    weir_queue_close(&empty);
    return rc;
}

TASK_TEST(queue, at_its_end_messages_meet_their_destructor)
{
    struct weir_queue queue;
    for (int kind = WEIR_QUEUE_FIFO; kind <= WEIR_QUEUE_PRIORITY; kind++) {
        WEIR_TRY(open_ints(&queue, kind, 0));
        for (int i = 1; i <= 3; i++)
            WEIR_TRY(put(&queue, i));
        cr_expect_eq(get(&queue), kind == WEIR_QUEUE_LIFO ? 3 : 1);
        weir_queue_close(&queue);
        weir_queue_close(&queue); /* again: nothing */
    }
    cr_expect_str_eq(notes, "2! 3! 2! 1! 3! 2!");
    return 0;
}

TASK_TEST(queue, closed_it_wakes_who_waits_and_answers_nothing_more)
{
    struct weir_queue full, empty;
    struct weir_nursery nursery;
    int rc = 0, message = 1;
    WEIR_TRY(open_ints(&full, WEIR_QUEUE_FIFO, 1));
    WEIR_TRY(open_ints(&empty, WEIR_QUEUE_FIFO, 1));
    WEIR_TRY(put(&full, 1));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, put_and_note, &full);
        weir_start_soon(&nursery, get_and_note, &empty);
        weir_start_soon(&nursery, join_and_note, &full);
        WEIR_DO(rc, weir_checkpoint());
        weir_queue_close(&full);
        weir_queue_close(&empty);
    }
    cr_expect_str_eq(notes, "1! put:ClosedResourceError@0 joined:ClosedResourceError@0 ClosedResourceError");
    cr_expect_eq(put(&full, 1), -EBADF);
    cr_expect_eq(get(&full), -EBADF);
    cr_expect_eq(weir_queue_put(&full, &message), -EBADF);
    cr_expect_eq(weir_queue_get(&full, &message), -EBADF);
    cr_expect_eq(weir_queue_join(&full), -EBADF);
    weir_queue_shutdown(&full, true);
    return rc;
}

static int close_and_free(void *arg)
{
    struct weir_queue *queue = arg;
    int rc = put(queue, 1);
    if (rc == 0)
        rc = put(queue, 2);
    weir_queue_close(queue);
    free(queue);
    return rc;
}

TASK_TEST(queue, who_was_woken_gets_his_message_though_the_queue_is_gone)
{
    struct weir_queue *queue = malloc(sizeof *queue);
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(weir_queue_open(queue, 0, sizeof(int), destroyed, NULL));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, get_and_note, queue);
        WEIR_DO(rc, weir_checkpoint());
        weir_start_soon(&nursery, close_and_free, queue);
    }
    cr_expect_str_eq(notes, "2! got:1@0");
    return rc;
}

TASK_TEST(queue, shut_down_at_once_who_was_woken_still_gets_his)
{
    struct weir_queue queue;
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(open_ints(&queue, WEIR_QUEUE_LIFO, 0));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, get_and_note, &queue);
        WEIR_DO(rc, weir_checkpoint());
        WEIR_DO(rc, put(&queue, 1));
        WEIR_DO(rc, put(&queue, 2));
        weir_queue_shutdown(&queue, true);
    }
    cr_expect_str_eq(notes, "1! got:2@0");
    weir_queue_close(&queue);
    return rc;
}

/* ---- in a select ---- */

static int put_later(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    return put(arg, 30);
}

TASK_TEST(queue, getting_is_a_case_of_a_select)
{
    struct weir_queue a, b;
    struct weir_nursery nursery;
    int rc = 0, from_a = 0, from_b = 0;
    WEIR_TRY(open_ints(&a, WEIR_QUEUE_FIFO, 1));
    WEIR_TRY(open_ints(&b, WEIR_QUEUE_PRIORITY, 1));
    weir_with_nursery (&nursery, rc) {
        struct weir_case cases[] = {WEIR_CASE_QUEUE_GET(&a, &from_a), WEIR_CASE_QUEUE_GET(&b, &from_b)};
        weir_start_soon(&nursery, put_later, &b);
        cr_expect_eq(weir_select(cases, 2), 1);
        cr_expect(cases[1].result == 0 && from_b == 30 && from_a == 0);
        cr_expect_eq(put(&a, 7), 0);
        cr_expect_eq(get(&a), 7); /* nobody waits for it any more */
        cr_expect_eq(put(&a, 8), 0);
        cr_expect_eq(weir_select(cases, 2), 0); /* without waiting */
        cr_expect_eq(from_a, 8);
        weir_queue_shutdown(&a, false);
        cr_expect_eq(weir_select(cases, 2), 0);
        cr_expect_eq(cases[0].result, -ENODATA);
    }
    weir_queue_close(&a);
    weir_queue_close(&b);
    return rc;
}

static int get_later(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    note("got:%d", get(arg));
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    note("got:%d", get(arg));
    return weir_queue_task_done(arg);
}

TASK_TEST(queue, putting_and_joining_are_cases_of_a_select)
{
    struct weir_queue queue;
    struct weir_nursery nursery;
    int rc = 0, message = 5;
    WEIR_TRY(open_ints(&queue, WEIR_QUEUE_FIFO, 1));
    WEIR_TRY(put(&queue, 4));
    weir_with_nursery (&nursery, rc) {
        struct weir_case cases[] = {WEIR_CASE_QUEUE_PUT(&queue, &message), WEIR_CASE_QUEUE_JOIN(&queue)};
        weir_start_soon(&nursery, get_later, &queue);
        cr_expect_eq(weir_select(cases, 2), 0);
        cr_expect(cases[0].result == 0 && now() == 1);
        cases[0] = (struct weir_case)WEIR_CASE_NEVER;
        cr_expect_eq(weir_queue_task_done(&queue), 0);
        cr_expect_eq(weir_select(cases, 2), 1);
        cr_expect(cases[1].result == 0 && now() == 2);
        cr_expect_eq(weir_select(cases, 2), 1);
        weir_queue_close(&queue);
        cr_expect_eq(weir_select(cases, 2), 1);
        cr_expect_eq(cases[1].result, -EBADF);
    }
    cr_expect_str_eq(notes, "got:4 got:5");
    return rc;
}

/* Who is promised the one message takes it, which lets in who waits to put, which serves the select that waits, which
 * makes room for the next: all in one go. */
static int select_get(void *arg)
{
    int message = -1;
    struct weir_case one = WEIR_CASE_QUEUE_GET(arg, &message);
    WEIR_TRY(weir_select(&one, 1));
    note("select:%d", message);
    return one.result;
}

static struct weir_event go;

static int put_when_told(void *arg)
{
    WEIR_TRY(weir_event_wait(&go));
    return put_and_note(arg);
}

TASK_TEST(queue, a_select_that_is_served_makes_room)
{
    struct weir_queue queue;
    struct weir_nursery nursery;
    struct weir_queue_statistics statistics;
    int rc = 0;
    weir_event_init(&go);
    WEIR_TRY(open_ints(&queue, WEIR_QUEUE_FIFO, 1));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, get_and_note, &queue);
        weir_start_soon(&nursery, select_get, &queue);
        weir_start_soon(&nursery, put_when_told, &queue);
        weir_start_soon(&nursery, put_when_told, &queue);
        WEIR_DO(rc, weir_sleep(1));
        weir_event_set(&go); /* they will find it full of what is promised to the first */
        WEIR_DO(rc, put(&queue, 1));
        WEIR_DO(rc, weir_sleep(1));
        weir_queue_statistics(&queue, &statistics);
        cr_expect(statistics.size == 1 && statistics.tasks_waiting_put == 0);
    }
    cr_expect_str_eq(notes, "got:1@1e-09 put:ok@1e-09 select:100 put:ok@1e-09");
    cr_expect_eq(get(&queue), 101);
    weir_queue_close(&queue);
    return rc;
}

/* ---- any order of tasks: every message is taken, destroyed or returned, once ---- */

enum { PRODUCERS = 5, EACH = 20, CONSUMERS = 4 };

static struct {
    struct weir_queue queue;
    struct weir_rng rng;
    int returned[PRODUCERS * EACH], taken[PRODUCERS * EACH], destroyed[PRODUCERS * EACH];
} crowd;

static void count_destroyed(void *message, void *arg)
{
    crowd.destroyed[*(int *)message]++;
}

static int pause_at_random(void)
{
    return weir_sleep((weir_time)weir_rng_below(&crowd.rng, 4));
}

static int select_put(int *message)
{
    struct weir_case cases[] = {
        WEIR_CASE_UNTIL(weir_time_add(weir_current_time(), 1 + (weir_time)weir_rng_below(&crowd.rng, 3))),
        WEIR_CASE_QUEUE_PUT(&crowd.queue, message)};
    int which = weir_select(cases, 2);
    return which < 0 ? which : which == 1 ? cases[1].result : -EAGAIN;
}

static int produce(void *arg)
{
    int base = (int)(intptr_t)arg * EACH;
    for (int i = base; i < base + EACH; i++) {
        struct weir_scope scope;
        int rc = 0, put_rc = -ECANCELED;
        weir_move_on_after (&scope, (weir_time)weir_rng_below(&crowd.rng, 6), rc)
            rc = put_rc = i % 3 == 0 ? select_put(&i) : weir_queue_put(&crowd.queue, &i);
        crowd.returned[i] += put_rc < 0;
        WEIR_TRY(pause_at_random());
    }
    return 0;
}

static int select_message(int *message)
{
    struct weir_case cases[] = {
        WEIR_CASE_QUEUE_GET(&crowd.queue, message),
        WEIR_CASE_UNTIL(weir_time_add(weir_current_time(), (weir_time)weir_rng_below(&crowd.rng, 3)))};
    int which = weir_select(cases, 2);
    return which < 0 ? which : which == 0 ? cases[0].result : -EAGAIN;
}

static int consume(void *arg)
{
    for (int rc = 0; rc != -ENODATA;) {
        struct weir_scope scope;
        int message;
        bool selects = weir_rng_below(&crowd.rng, 3) == 0;
        weir_move_on_after (&scope, (weir_time)weir_rng_below(&crowd.rng, 6), rc) {
            rc = selects ? select_message(&message) : weir_queue_get(&crowd.queue, &message);
            if (rc == 0)
                crowd.taken[message]++;
        }
        int paused = pause_at_random();
        cr_assert_eq(paused, 0);
    }
    return 0;
}

static int shut_down_some_time(void *arg)
{
    WEIR_TRY(weir_sleep((weir_time)weir_rng_below(&crowd.rng, 120)));
    weir_queue_shutdown(&crowd.queue, weir_rng_below(&crowd.rng, 2) == 0);
    return 0;
}

static int meet(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0, kind = *(int *)arg;
    size_t maxsize = weir_rng_below(&crowd.rng, 4);
    if (kind == WEIR_QUEUE_FIFO)
        WEIR_TRY(weir_queue_open(&crowd.queue, maxsize, sizeof(int), count_destroyed, NULL));
    else if (kind == WEIR_QUEUE_LIFO)
        WEIR_TRY(weir_lifo_queue_open(&crowd.queue, maxsize, sizeof(int), count_destroyed, NULL));
    else
        WEIR_TRY(weir_priority_queue_open(&crowd.queue, maxsize, sizeof(int), by_tens, count_destroyed, NULL));
    weir_with_nursery (&nursery, rc) {
        for (intptr_t i = 0; i < PRODUCERS; i++)
            weir_start_soon(&nursery, produce, (void *)i);
        for (int i = 0; i < CONSUMERS; i++)
            weir_start_soon(&nursery, consume, NULL);
        weir_start_soon(&nursery, shut_down_some_time, NULL);
    }
    cr_expect_eq(crowd.queue.promised, 0);
    weir_queue_close(&crowd.queue);
    return rc;
}

Test(queue, in_any_order_each_message_ends_up_in_one_place, .timeout = 120)
{
    for (uint64_t seed = 1; seed <= 600; seed++) {
        int kind = (int)(seed % 3);
        memset(&crowd, 0, sizeof crowd);
        weir_rng_seed(&crowd.rng, seed);
        cr_assert_eq(run_with(meet, &kind, (struct weir_run_options){.shuffle_seed = seed, .tasks_max = 64}), 0);
        for (int i = 0; i < PRODUCERS * EACH; i++)
            cr_assert_eq(crowd.returned[i] + crowd.taken[i] + crowd.destroyed[i], 1, "seed %lu, message %d: %d %d %d",
                         seed, i, crowd.returned[i], crowd.taken[i], crowd.destroyed[i]);
    }
}
