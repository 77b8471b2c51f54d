/* core/system: signals as something to wait for. */
#include "../support/outside.h"
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>
#include <weir/system.h>
#include <weir/testing.h>

static void (*handler_of(int number))(int)
{
    struct sigaction found;
    sigaction(number, NULL, &found);
    return found.sa_handler;
}

static void note_signal(int number)
{
    note("handler:%d", number);
}

/* Until what was queued from handlers has been dealt with. */
static void let_jobs_run(void)
{
    for (int i = 0; i < 200; i++)
        cr_assert_eq(weir_checkpoint(), 0);
}

CLEAN_TEST(signals, are_received_and_given_back)
{
    struct weir_signal_receiver receiver;
    int rc = 0;
    signal(SIGUSR1, note_signal);
    weir_with_signal_receiver (&receiver, rc, SIGUSR1, SIGUSR2) {
        raise(SIGUSR1);
        cr_expect_eq(weir_receive_signal(&receiver), SIGUSR1);
        kill(getpid(), SIGUSR2);
        cr_expect_eq(weir_receive_signal(&receiver), SIGUSR2);
    }
    cr_expect_eq(weir_receive_signal(&receiver), -EBADF);
    weir_signal_receiver_close(&receiver);
    cr_expect_eq(handler_of(SIGUSR1), note_signal);
    cr_expect_eq(handler_of(SIGUSR2), SIG_DFL);
    cr_expect_str_eq(notes, "");
    return rc;
}

CLEAN_TEST(signals, that_come_often_are_one_and_the_first_comes_first)
{
    static const int order[] = {SIGUSR2, SIGHUP, SIGUSR1};
    struct weir_signal_receiver receiver;
    int rc = 0;
    weir_with_signal_receiver (&receiver, rc, SIGHUP, SIGUSR1, SIGUSR2) {
        for (int i = 0; i < 9; i++) {
            raise(order[i % 3]);
            if (i % 2)
                let_jobs_run();
        }
        let_jobs_run();
        cr_expect_eq(weir_signal_receiver_pending(&receiver), 3);
        for (int i = 0; i < 3; i++)
            cr_expect_eq(weir_receive_signal(&receiver), order[i]);
        cr_expect_eq(weir_signal_receiver_pending(&receiver), 0);
    }
    cr_expect_eq(weir_signal_receiver_pending(&receiver), 0);
    return rc;
}

/* Two are always pending: neither may starve. */
CLEAN_TEST(signals, take_turns)
{
    struct weir_signal_receiver receiver;
    int rc = 0, previous = 0;
    weir_with_signal_receiver (&receiver, rc, SIGUSR1, SIGUSR2) {
        for (int i = 0; i < 10; i++) {
            raise(SIGUSR1);
            raise(SIGUSR2);
            let_jobs_run();
            int got = weir_receive_signal(&receiver);
            cr_expect_neq(got, previous);
            previous = got;
        }
        while (weir_signal_receiver_pending(&receiver) > 0)
            cr_expect_gt(weir_receive_signal(&receiver), 0);
    }
    return rc;
}

static int receive_and_note(void *arg)
{
    int rc = weir_receive_signal(arg);
    note("%s", rc > 0 ? strsignal(rc) : weir_error_name(rc));
    return 0;
}

CLEAN_TEST(signals, wake_who_waits_and_only_one_may)
{
    struct weir_signal_receiver receiver;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_signal_receiver (&receiver, rc, SIGUSR1) {
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, receive_and_note, &receiver);
            WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
            cr_expect_eq(weir_receive_signal(&receiver), -EBUSY);
            note("kill");
            kill(getpid(), SIGUSR1);
        }
    }
    cr_expect_str_eq(notes, "kill User defined signal 1");
    return rc;
}

CLEAN_TEST(signals, wait_no_more_on_a_receiver_that_is_closed)
{
    struct weir_signal_receiver receiver;
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_with_signal_receiver (&receiver, rc, SIGUSR1) {
            weir_start_soon(&nursery, receive_and_note, &receiver);
            WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        }
    }
    cr_expect_str_eq(notes, "ClosedResourceError");
    return rc;
}

CLEAN_TEST(signals, can_be_waited_for_again_after_a_cancelled_wait)
{
    struct weir_signal_receiver receiver;
    struct weir_scope scope;
    int rc = 0;
    weir_with_signal_receiver (&receiver, rc, SIGUSR1) {
        weir_move_on_after (&scope, WEIR_SECONDS(1), rc)
            rc = weir_receive_signal(&receiver);
        cr_expect(scope.cancelled_caught);
        raise(SIGUSR1);
        weir_with_scope (&scope, rc) {
            weir_scope_cancel(&scope);
            rc = weir_receive_signal(&receiver);
        }
        cr_expect(scope.cancelled_caught);
        rc = weir_receive_signal(&receiver);
    }
    cr_expect_eq(rc, SIGUSR1);
    return 0;
}

CLEAN_TEST(signals, that_cannot_be_received_say_so_and_the_others_are_given_back)
{
    struct weir_signal_receiver receiver;
    int rc = 0;
    weir_with_signal_receiver (&receiver, rc, SIGUSR1, SIGKILL, SIGUSR2)
        cr_expect(false);
    cr_expect_eq(rc, -EINVAL);
    cr_expect(handler_of(SIGUSR1) == SIG_DFL && handler_of(SIGUSR2) == SIG_DFL);
    rc = 0;
    weir_with_signal_receiver (&receiver, rc, SIGUSR1, 12345)
        cr_expect(false);
    cr_expect_eq(rc, -EINVAL);
    cr_expect_eq(weir_open_signal_receiver(&receiver, (int[]){-1}, 1), -EINVAL);
    cr_expect_eq(weir_open_signal_receiver(&receiver, NULL, 0), -EINVAL);
    weir_signal_receiver_close(&receiver);
    return 0;
}

CLEAN_TEST(signals, named_twice_are_received_once)
{
    struct weir_signal_receiver receiver;
    int rc = 0;
    weir_with_signal_receiver (&receiver, rc, SIGUSR1, SIGUSR1) {
        raise(SIGUSR1);
        let_jobs_run();
        cr_expect_eq(weir_signal_receiver_pending(&receiver), 1);
        cr_expect_eq(weir_receive_signal(&receiver), SIGUSR1);
    }
    cr_expect_eq(handler_of(SIGUSR1), SIG_DFL);
    return rc;
}

/* ---- not taken ---- */

static int leave_signals(bool on_their_way)
{
    struct weir_signal_receiver receiver;
    int rc = 0;
    signal(SIGUSR1, note_signal);
    signal(SIGUSR2, note_signal);
    weir_with_signal_receiver (&receiver, rc, SIGUSR1, SIGUSR2) {
        raise(SIGUSR2);
        raise(SIGUSR1);
        if (!on_their_way)
            let_jobs_run();
        cr_expect_eq(weir_signal_receiver_pending(&receiver), on_their_way ? 0 : 2);
        cr_expect_str_eq(notes, "");
    }
    let_jobs_run();
    cr_expect_str_eq(notes, "handler:12 handler:10");
    return rc;
}

CLEAN_TEST(signals, not_taken_are_raised_again_when_the_receiver_is_closed)
{
    return leave_signals(false);
}

CLEAN_TEST(signals, on_their_way_when_the_receiver_is_closed_are_raised_again)
{
    return leave_signals(true);
}

static int leave_one(void *arg)
{
    struct weir_signal_receiver receiver;
    int rc = 0;
    weir_with_signal_receiver (&receiver, rc, SIGUSR1)
        raise(SIGUSR1);
    return rc;
}

Test(signals, on_their_way_when_the_run_ends_are_raised_again)
{
    signal(SIGUSR1, note_signal);
    cr_expect_eq(run(leave_one, NULL), 0);
    cr_expect_str_eq(notes, "handler:10");
}

CLEAN_TEST(signals, not_taken_and_ignored_otherwise_are_gone)
{
    struct weir_signal_receiver receiver;
    int rc = 0;
    signal(SIGUSR1, SIG_IGN);
    weir_with_signal_receiver (&receiver, rc, SIGUSR1)
        raise(SIGUSR1);
    let_jobs_run();
    cr_expect_eq(handler_of(SIGUSR1), SIG_IGN);
    return rc;
}

/* ---- several receivers ---- */

CLEAN_TEST(signals, go_to_the_receiver_that_was_opened_last)
{
    struct weir_signal_receiver outer, inner;
    int rc = 0;
    weir_with_signal_receiver (&outer, rc, SIGUSR1) {
        weir_with_signal_receiver (&inner, rc, SIGUSR1) {
            raise(SIGUSR1);
            cr_expect_eq(weir_receive_signal(&inner), SIGUSR1);
            raise(SIGUSR1);
            let_jobs_run();
            cr_expect_eq(weir_signal_receiver_pending(&outer), 0);
        }
        cr_expect_eq(weir_receive_signal(&outer), SIGUSR1, "what the inner one did not take");
        raise(SIGUSR1);
        cr_expect_eq(weir_receive_signal(&outer), SIGUSR1);
    }
    return rc;
}

CLEAN_TEST(signals, survive_receivers_closed_in_any_order)
{
    struct weir_signal_receiver outer, inner;
    WEIR_TRY(weir_open_signal_receiver(&outer, (int[]){SIGUSR1}, 1));
    WEIR_TRY(weir_open_signal_receiver(&inner, (int[]){SIGUSR1}, 1));
    weir_signal_receiver_close(&outer);
    raise(SIGUSR1);
    cr_expect_eq(weir_receive_signal(&inner), SIGUSR1);
    weir_signal_receiver_close(&inner);
    cr_expect_eq(handler_of(SIGUSR1), SIG_DFL);
    return 0;
}

/* ---- of several loops ---- */

static sem_t opened, go_on;

static int receive_there(void *arg)
{
    struct weir_signal_receiver receiver;
    int rc = 0;
    weir_with_signal_receiver (&receiver, rc, SIGUSR1) {
        sem_post(&opened);
        rc = weir_receive_signal(&receiver);
        note("there:%d", rc);
        sem_post(&opened);
        sem_wait(&go_on);
    }
    return 0;
}

static void *run_there(void *arg)
{
    cr_expect_eq(run(receive_there, NULL), 0);
    return NULL;
}

CLEAN_TEST(signals, go_to_the_loop_whose_receiver_was_opened_last)
{
    struct weir_signal_receiver receiver;
    pthread_t thread;
    int rc = 0;
    sem_init(&opened, 0, 0);
    sem_init(&go_on, 0, 0);
    weir_with_signal_receiver (&receiver, rc, SIGUSR1) {
        pthread_create(&thread, NULL, run_there, NULL);
        sem_wait(&opened);
        raise(SIGUSR1);
        sem_wait(&opened);
        note("here:%zu", weir_signal_receiver_pending(&receiver));
        raise(SIGUSR1); /* that loop is busy, and will then be gone */
        sem_post(&go_on);
        cr_expect_eq(weir_receive_signal(&receiver), SIGUSR1);
        pthread_join(thread, NULL);
    }
    cr_expect_str_eq(notes, "there:10 here:0");
    return rc;
}

/* ---- Ctrl-C ---- */

static int take_ctrl_c(void *arg)
{
    struct weir_signal_receiver receiver;
    int rc = 0;
    weir_with_signal_receiver (&receiver, rc, SIGINT) {
        for (int i = 0; i < 5; i++) {
            raise(SIGINT);
            cr_expect_eq(weir_receive_signal(&receiver), SIGINT);
        }
        rc = weir_checkpoint();
    }
    note("%s", weir_error_name(rc));
    raise(SIGINT);
    rc = weir_sleep_forever();
    note("%s", weir_error_name(rc));
    return rc;
}

Test(signals, of_ctrl_c_do_not_interrupt_the_run_while_they_are_taken)
{
    cr_expect_eq(run_clean(take_ctrl_c, NULL), -EINTR);
    cr_expect_str_eq(notes, "ok Cancelled");
    cr_expect_eq(handler_of(SIGINT), SIG_DFL);
}

/* ---- left open ---- */

static int leave_open(void *arg)
{
    struct weir_signal_receiver receiver;
    WEIR_TRY(weir_open_signal_receiver(&receiver, (int[]){SIGUSR1}, 1));
    raise(SIGUSR1);
    let_jobs_run();
    return 0;
}

Test(signals, of_a_receiver_left_open_are_given_back_when_the_run_ends)
{
    weir_log_set_level(WEIR_LOG_ERROR);
    signal(SIGUSR1, note_signal);
    cr_expect_eq(run_clean(leave_open, NULL), 0);
    cr_expect_eq(handler_of(SIGUSR1), note_signal);
    cr_expect_str_eq(notes, "handler:10");
}

/* ---- handlers in one thread, receivers that come and go in another ---- */

static atomic_bool stop;
static atomic_int heard;

static void hear(int number)
{
    atomic_fetch_add(&heard, 1);
}

static void *keep_raising(void *arg)
{
    while (!atomic_load(&stop))
        raise(SIGUSR1);
    return NULL;
}

static int come_and_go(void *arg)
{
    for (int i = 0; i < 200; i++) {
        struct weir_signal_receiver receivers[2];
        int rc = 0;
        weir_with_signal_receiver (&receivers[0], rc, SIGUSR1) {
            weir_with_signal_receiver (&receivers[1], rc, SIGUSR1)
                rc = weir_receive_signal(&receivers[1]);
            WEIR_DO(rc, weir_receive_signal(&receivers[0]));
        }
        WEIR_TRY(rc);
    }
    return 0;
}

Test(signals, may_come_in_any_thread_while_receivers_come_and_go, .timeout = 60)
{
    pthread_t thread;
    signal(SIGUSR1, hear);
    pthread_create(&thread, NULL, keep_raising, NULL);
    for (int i = 0; i < 5; i++)
        cr_expect_eq(run(come_and_go, NULL), 0);
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    cr_expect_eq(handler_of(SIGUSR1), hear);
}
