/* core/debug: the tree on a signal. */
#include "../support/core.h"
#include "../support/kept_stderr.h"
#include <pthread.h>
#include <signal.h>

static void own_handler(int number)
{
}

static int raise_twice(void *arg)
{
    struct weir_nursery nursery;
    int rc = weir_tree_on_signal(SIGUSR1);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, sleep_forever, NULL);
        for (int i = 0; i < 2 && rc == 0; i++) {
            raise(SIGUSR1);
            raise(SIGUSR1); /* before it was printed: once is enough */
            rc = weir_sleep(1);
        }
        weir_nursery_cancel(&nursery);
    }
    return rc;
}

Test(tree_signal, prints_the_tree_between_two_tasks)
{
    keep_stderr();
    cr_expect_eq(run(raise_twice, NULL), 0);
    const char *first = strstr(stderr_kept(), "weir: the 2 tasks of loop 0:\nmain: weir_sleep for ");
    cr_assert_not_null(first, "%s", stderr_kept());
    const char *second = strstr(first + 1, "weir: the 2 tasks of loop 0:\nmain: weir_sleep for ");
    cr_assert_not_null(second, "%s", stderr_kept());
    cr_expect_null(strstr(second + 1, "weir: the "), "%s", stderr_kept());
    cr_expect_not_null(strstr(second, "   └─ sleep_forever: weir_sleep_forever for "));
}

static void print_more(FILE *out, void *arg)
{
    fprintf(out, "and %s\n", (const char *)arg);
}

static int raise_with_more(void *arg)
{
    cr_expect_eq(weir_tree_on_signal_also(print_more, arg), -EINVAL, "too soon");
    WEIR_TRY(weir_tree_on_signal(SIGUSR1));
    WEIR_TRY(weir_tree_on_signal_also(print_more, arg));
    raise(SIGUSR1);
    WEIR_TRY(weir_sleep(1));
    WEIR_TRY(weir_tree_on_signal_also(NULL, NULL));
    raise(SIGUSR1);
    return weir_sleep(1);
}

Test(tree_signal, prints_what_else_there_is_after_the_tree_until_told_otherwise)
{
    keep_stderr();
    cr_expect_eq(run(raise_with_more, (char[]){"more"}), 0);
    const char *more = strstr(stderr_kept(), "\nand more\n");
    cr_assert_not_null(more, "%s", stderr_kept());
    cr_expect_not_null(strstr(more, "\nweir: the 1 task of loop 0:\n"), "%s", stderr_kept());
    cr_expect_null(strstr(more + 1, "\nand more\n"), "%s", stderr_kept());
}

static int ask_wrongly(void *arg)
{
    cr_expect_eq(weir_tree_on_signal(0), -EINVAL);
    cr_expect_eq(weir_tree_on_signal(1000), -EINVAL);
    cr_expect_eq(weir_tree_on_signal(SIGKILL), -EINVAL);
    cr_expect_eq(weir_tree_on_signal(SIGUSR2), 0);
    cr_expect_eq(weir_tree_on_signal(SIGUSR1), -EALREADY);
    return 0;
}

Test(tree_signal, gives_the_signal_back_to_who_had_it)
{
    struct sigaction found;
    signal(SIGUSR2, own_handler);
    cr_expect_eq(run(ask_wrongly, NULL), 0);
    sigaction(SIGUSR2, NULL, &found);
    cr_expect_eq(found.sa_handler, own_handler);
}

/* ---- several loops ---- */

static pthread_barrier_t barrier;

static int ask_and_wait(void *arg)
{
    int rc = weir_tree_on_signal(SIGUSR1);
    pthread_barrier_wait(&barrier); /* all have asked */
    pthread_barrier_wait(&barrier); /* it came */
    if (rc == 0)
        rc = weir_sleep(WEIR_MILLISECONDS(1));
    pthread_barrier_wait(&barrier);
    return rc;
}

static void *run_loop(void *arg)
{
    cr_expect_eq(weir_run(ask_and_wait, NULL, NULL), 0);
    return NULL;
}

Test(tree_signal, may_serve_several_loops, .timeout = 30)
{
    pthread_t threads[3];
    keep_stderr();
    pthread_barrier_init(&barrier, NULL, 4);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, run_loop, NULL);
    pthread_barrier_wait(&barrier);
    raise(SIGUSR1);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 3; i++) {
        char line[64];
        snprintf(line, sizeof line, "weir: the 1 task of loop %d:\n", i);
        cr_expect_not_null(strstr(stderr_kept(), line), "%s", stderr_kept());
    }
}
