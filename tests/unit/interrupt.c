/* core/task: Ctrl-C. (weir_interrupt itself: loop.c) */
#include "../support/core.h"
#include <pthread.h>
#include <signal.h>

static void (*handler_of(int number))(int)
{
    struct sigaction found;
    sigaction(number, NULL, &found);
    return found.sa_handler;
}

static int raise_and_sleep(void *arg)
{
    struct weir_reason reason;
    cr_assert_neq(handler_of(SIGINT), SIG_DFL);
    for (int i = 0; i < *(int *)arg; i++)
        raise(SIGINT);
    int rc = weir_sleep_forever();
    cr_expect_eq(weir_current_cancel_reason(&reason), 0);
    note("%s: %s", weir_error_name(rc), reason.what);
    return rc;
}

Test(interrupt, by_ctrl_c_cancels_the_main_task_each_run)
{
    int times = 1;
    cr_expect_eq(weir_run(raise_and_sleep, &times, NULL), -EINTR);
    cr_expect_eq(handler_of(SIGINT), SIG_DFL, "given back");
    cr_expect_eq(weir_run(raise_and_sleep, &times, NULL), -EINTR);
    cr_expect_eq(weir_run(raise_and_sleep, &times, NULL), -EINTR, "patience begins anew with each run");
    cr_expect_str_eq(notes, "Cancelled: interrupted Cancelled: interrupted Cancelled: interrupted");
}

Test(interrupt, by_a_second_ctrl_c_is_the_same)
{
    int times = 2;
    cr_expect_eq(weir_run(raise_and_sleep, &times, NULL), -EINTR);
    cr_expect_str_eq(notes, "Cancelled: interrupted");
}

Test(interrupt, by_a_third_ctrl_c_ends_the_process, .signal = SIGINT)
{
    int times = 3;
    cr_expect_eq(weir_run(raise_and_sleep, &times, NULL), 0);
}

static int raise_and_return(void *arg)
{
    raise(SIGINT);
    return 7;
}

Test(interrupt, that_comes_too_late_for_any_task_is_not_lost)
{
    cr_expect_eq(run(raise_and_return, NULL), -EINTR);
}

/* ---- whoever has installed a handler keeps it ---- */

static void count_own(int number)
{
    note("own");
}

static int raise_it(void *arg)
{
    if (arg != NULL)
        signal(SIGINT, count_own);
    raise(SIGINT);
    return weir_checkpoint();
}

Test(interrupt, is_left_to_who_has_taken_it)
{
    bool meanwhile = true;
    signal(SIGINT, count_own);
    cr_expect_eq(run(raise_it, NULL), 0);
    cr_expect_eq(handler_of(SIGINT), count_own);
    signal(SIGINT, SIG_IGN);
    cr_expect_eq(run(raise_it, NULL), 0);
    cr_expect_eq(handler_of(SIGINT), SIG_IGN);
    signal(SIGINT, SIG_DFL);
    cr_expect_eq(run(raise_it, &meanwhile), 0);
    cr_expect_eq(handler_of(SIGINT), count_own, "what was taken during the run stays taken");
    cr_expect_str_eq(notes, "own own");
}

static int look_at_handler(void *arg)
{
    cr_expect_eq(handler_of(SIGINT), SIG_DFL);
    return 0;
}

static void *run_in_thread(void *arg)
{
    cr_expect_eq(weir_run(look_at_handler, NULL, NULL), 0);
    return NULL;
}

Test(interrupt, is_the_main_threads)
{
    pthread_t thread;
    pthread_create(&thread, NULL, run_in_thread, NULL);
    pthread_join(thread, NULL);
}

/* ---- other signals, and before there is a loop ---- */

Test(interrupt, by_another_signal_before_there_is_a_loop)
{
    struct sigaction before;
    int none = 0;
    weir_signal_interrupts(SIGTERM, &before);
    raise(SIGTERM);
    weir_signal_interrupts(SIGINT, NULL);
    cr_expect_eq(weir_run(raise_and_sleep, &none, NULL), -EINTR);
    cr_expect_neq(handler_of(SIGINT), SIG_DFL, "it was not the run that caught it");
    weir_signal_interrupts_no_more(SIGINT, &(struct sigaction){.sa_handler = SIG_DFL});
    weir_signal_interrupts_no_more(SIGTERM, &before);
    cr_expect(handler_of(SIGINT) == SIG_DFL && handler_of(SIGTERM) == SIG_DFL);
    cr_expect_eq(run(return_at_once, NULL), 0, "it is forgotten by then");
}

Test(interrupt, by_signals_of_all_kinds_ends_the_process_at_the_third, .signal = SIGTERM)
{
    struct sigaction before;
    weir_signal_interrupts(SIGTERM, &before);
    weir_signal_interrupts(SIGINT, &before);
    raise(SIGTERM);
    raise(SIGINT);
    raise(SIGTERM);
}
