/* core/task: instruments: which hook is called when, and that they may come and go at any time. */
#include "../../core/task/task_private.h"
#include "../support/core.h"

/* Notes what it is told, with its sign in front. */
struct noting {
    struct weir_instrument hooks;
    const char *sign;
    struct noting *add, *remove; /* in its next hook */
};

static void heard(struct weir_instrument *instrument, const char *what, struct weir_task *task)
{
    struct noting *self = WEIR_CONTAINER_OF(instrument, struct noting, hooks), *add = self->add, *remove = self->remove;
    note("%s%s%s", self->sign, what, task != NULL ? weir_task_name(task) : "");
    self->add = self->remove = NULL;
    if (add != NULL)
        weir_instrument_add(&add->hooks);
    if (remove != NULL)
        weir_instrument_remove(&remove->hooks);
}

static void run_begins(struct weir_instrument *instrument)
{
    heard(instrument, "run", NULL);
}

static void run_ends(struct weir_instrument *instrument)
{
    heard(instrument, "ran", NULL);
}

static void spawned(struct weir_instrument *instrument, struct weir_task *task)
{
    heard(instrument, "+", task);
}

static void scheduled(struct weir_instrument *instrument, struct weir_task *task)
{
    heard(instrument, "!", task);
}

static void step_begins(struct weir_instrument *instrument, struct weir_task *task)
{
    heard(instrument, ">", task);
}

static void step_ends(struct weir_instrument *instrument, struct weir_task *task)
{
    heard(instrument, "<", task);
}

static void exited(struct weir_instrument *instrument, struct weir_task *task)
{
    heard(instrument, "-", task);
}

static void io_begins(struct weir_instrument *instrument, weir_time timeout)
{
    note("io(%s", timeout == 0 ? "0" : timeout == WEIR_NEVER ? "ever" : "some");
}

static void io_ends(struct weir_instrument *instrument, weir_time timeout)
{
    note("%s)@%g", timeout == 0 ? "0" : timeout == WEIR_NEVER ? "ever" : "some", now());
}

static struct noting all(const char *sign)
{
    return (struct noting){
        {.before_run = run_begins,
         .after_run = run_ends,
         .task_spawned = spawned,
         .task_scheduled = scheduled,
         .before_task_step = step_begins,
         .after_task_step = step_ends,
         .task_exited = exited,
         .before_io_wait = io_begins,
         .after_io_wait = io_ends},
        sign,
    };
}

static struct noting tasks_only(const char *sign)
{
    struct noting noting = all(sign);
    noting.hooks.before_io_wait = noting.hooks.after_io_wait = NULL;
    noting.hooks.before_run = noting.hooks.after_run = NULL;
    return noting;
}

static int run_heard(int (*main)(void *), struct noting *first, struct noting *second)
{
    struct weir_instrument *instruments[] = {&first->hooks, second != NULL ? &second->hooks : NULL};
    return run_with(main, NULL,
                    (struct weir_run_options){.instruments = instruments, .instruments_count = second != NULL ? 2 : 1});
}

/* ---- what is told, and when ---- */

static int child(void *arg)
{
    note("started");
    WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    note("exiting");
    return 0;
}

static int parent(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        note("spawning");
        weir_start_soon(&nursery, child, NULL);
        note("waiting");
    }
    note("done");
    return rc;
}

Test(instrument, hears_what_trios_would_in_its_order)
{
    struct noting noting = all("");
    cr_expect_eq(run_heard(parent, &noting, NULL), 0);
    cr_expect_str_eq(notes, "run +main !main io(0 0)@0 "
                            ">main spawning +child !child waiting <main io(0 0)@0 "
                            ">child started <child io(0 0)@0 "
                            "io(0 0)@0 !child >child exiting !main -child <child io(0 0)@1 "
                            ">main done -main <main ran");
}

static int wake_and_yield(void *arg)
{
    struct weir_event *event = arg;
    weir_event_set(event);
    note("set");
    WEIR_TRY(weir_checkpoint());
    weir_cancel_shielded_checkpoint();
    return 0;
}

static int wait_for_it(void *arg)
{
    struct weir_nursery nursery;
    struct weir_event event;
    int rc = 0;
    weir_event_init(&event);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wake_and_yield, &event);
        rc = weir_event_wait(&event);
    }
    return rc;
}

Test(instrument, hears_of_a_wake_up_at_once_and_of_a_task_that_lets_others_run)
{
    struct noting noting = tasks_only("");
    noting.hooks.task_spawned = noting.hooks.task_exited = NULL;
    cr_expect_eq(run_heard(wait_for_it, &noting, NULL), 0);
    cr_expect_str_eq(notes, "!main >main !wake_and_yield <main "
                            ">wake_and_yield !main set !wake_and_yield <wake_and_yield "
                            ">main <main >wake_and_yield !wake_and_yield <wake_and_yield "
                            ">wake_and_yield !main <wake_and_yield >main <main");
}

Test(instrument, hears_nothing_by_hooks_that_it_has_not)
{
    struct noting noting = {{.task_exited = exited}, ""}, none = {{.task_exited = NULL}, ""};
    cr_expect_eq(run_heard(parent, &none, &noting), 0);
    cr_expect_str_eq(notes, "spawning waiting started exiting -child done -main");
}

/* ---- waiting ---- */

static void interrupt_it(struct weir_instrument *instrument, weir_time timeout)
{
    io_begins(instrument, timeout);
    if (timeout == WEIR_NEVER)
        weir_interrupt(weir_current_loop());
}

static weir_time heard_timeout, slept, asked;

/* Longer and longer, until the machine is not slower. */
static int sleep_really(void *arg)
{
    for (asked = WEIR_MILLISECONDS(2); heard_timeout == 0; asked *= 2)
        WEIR_TRY(weir_sleep(asked));
    return 0;
}

static void note_begin(struct weir_instrument *instrument, weir_time timeout)
{
    slept = weir_current_time();
}

static void note_longest(struct weir_instrument *instrument, weir_time timeout)
{
    if (timeout > heard_timeout) {
        heard_timeout = timeout;
        slept = weir_current_time() - slept;
    }
}

Test(instrument, hears_how_long_the_loop_would_wait_and_measures_how_long_it_did)
{
    struct weir_instrument instrument = {.before_io_wait = note_begin, .after_io_wait = note_longest};
    struct weir_instrument *instruments[] = {&instrument};
    cr_expect_eq(
        weir_run(sleep_really, NULL, &(struct weir_run_options){.instruments = instruments, .instruments_count = 1}),
        0);
    cr_expect(heard_timeout > 0 && heard_timeout <= asked, "%ld of %ld", (long)heard_timeout, (long)asked);
    cr_expect_geq(slept, heard_timeout - 2000, "a tick of the wheel is 1 us: %ld of %ld", (long)slept,
                  (long)heard_timeout);
}

Test(instrument, hears_that_the_loop_would_wait_for_ever)
{
    struct noting noting = {{.before_io_wait = interrupt_it, .after_io_wait = io_ends}, ""};
    cr_expect_eq(run_heard(sleep_forever, &noting, NULL), -EINTR);
    cr_expect_str_eq(notes, "io(0 0)@0 io(0 0)@0 io(ever ever)@0");
}

/* ---- they come and go ---- */

static struct noting a, b, c;

static int add_and_remove(void *arg)
{
    a = tasks_only("a");
    weir_instrument_add(&a.hooks);
    weir_instrument_add(&a.hooks); /* is there already */
    note("added");
    WEIR_TRY(weir_checkpoint());
    weir_instrument_remove(&a.hooks);
    weir_instrument_remove(&a.hooks);
    note("removed");
    WEIR_TRY(weir_checkpoint());
    weir_instrument_add(&a.hooks);
    return 0;
}

Test(instrument, added_by_a_task_hears_the_end_of_its_step)
{
    cr_expect_eq(run(add_and_remove, NULL), 0);
    cr_expect_str_eq(notes, "added a!main a<main a>main removed a-main a<main");
}

static int yield_twice(void *arg)
{
    WEIR_TRY(weir_checkpoint());
    return weir_checkpoint();
}

Test(instrument, added_in_a_hook_does_not_hear_that_hook)
{
    a = (struct noting){{.before_task_step = step_begins}, "a", .add = &b};
    b = (struct noting){{.before_task_step = step_begins, .after_task_step = step_ends}, "b"};
    c = (struct noting){{.before_task_step = step_begins}, "c"}; /* so that the call goes on behind the one that adds */
    cr_expect_eq(run_heard(yield_twice, &a, &c), 0);
    cr_expect_str_eq(notes, "a>main c>main b<main a>main c>main b>main b<main a>main c>main b>main b<main");
}

Test(instrument, removed_in_a_hook_hears_no_more_of_it)
{
    struct weir_instrument *three[] = {&a.hooks, &b.hooks, &c.hooks};
    struct noting *each[] = {&a, &b, &c};
    static const char *const left[] = {"a>main b>main c>main b>main c>main b>main c>main",
                                       "a>main c>main a>main c>main a>main c>main",
                                       "a>main b>main a>main b>main a>main b>main"};
    for (int i = 0; i < 3; i++) {
        a = (struct noting){{.before_task_step = step_begins}, "a", .remove = each[i]};
        b = (struct noting){{.before_task_step = step_begins}, "b"};
        c = (struct noting){{.before_task_step = step_begins}, "c"};
        notes[0] = '\0';
        cr_expect_eq(
            run_with(yield_twice, NULL, (struct weir_run_options){.instruments = three, .instruments_count = 3}), 0);
        cr_expect_str_eq(notes, left[i]);
    }
}

Test(instrument, is_out_when_the_run_ends_and_may_serve_the_next)
{
    a = (struct noting){{.before_run = run_begins, .after_run = run_ends}, "a"};
    for (int i = 0; i < 2; i++)
        cr_expect_eq(run_heard(return_at_once, &a, NULL), 0);
    cr_expect_str_eq(notes, "arun aran arun aran");
}

/* ---- whatever else goes on ---- */

struct counts {
    struct weir_instrument hooks;
    long begun, ended, spawned, exited, scheduled;
    struct weir_task *runs;
    bool one_at_a_time;
};

static void count_begin(struct weir_instrument *instrument, struct weir_task *task)
{
    struct counts *counts = WEIR_CONTAINER_OF(instrument, struct counts, hooks);
    counts->one_at_a_time &= counts->runs == NULL;
    counts->runs = task;
    counts->begun++;
}

static void count_end(struct weir_instrument *instrument, struct weir_task *task)
{
    struct counts *counts = WEIR_CONTAINER_OF(instrument, struct counts, hooks);
    counts->one_at_a_time &= counts->runs == task;
    counts->runs = NULL;
    counts->ended++;
}

static void count_spawned(struct weir_instrument *instrument, struct weir_task *task)
{
    WEIR_CONTAINER_OF(instrument, struct counts, hooks)->spawned++;
}

static void count_exited(struct weir_instrument *instrument, struct weir_task *task)
{
    WEIR_CONTAINER_OF(instrument, struct counts, hooks)->exited++;
}

static void count_scheduled(struct weir_instrument *instrument, struct weir_task *task)
{
    WEIR_CONTAINER_OF(instrument, struct counts, hooks)->scheduled++;
}

enum { CROWD = 500 };

static int wait_a_lot(void *arg)
{
    for (int i = 0; i < 10; i++) {
        WEIR_TRY(weir_checkpoint());
        WEIR_TRY(weir_sleep((weir_time)(uintptr_t)arg * 100 + i));
    }
    return 0;
}

static int crowd(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        for (uintptr_t i = 0; i < CROWD; i++)
            weir_start_soon(&nursery, wait_a_lot, (void *)i);
    return rc;
}

static void with_canaries(struct weir_loop *loop, void *arg)
{
    loop->stacks.guard = GUARD_MPROTECT;
    loop->stacks.protected_max = 0;
}

static void count_a_crowd(struct weir_run_options options)
{
    struct counts counts = {{.before_task_step = count_begin,
                             .after_task_step = count_end,
                             .task_spawned = count_spawned,
                             .task_exited = count_exited,
                             .task_scheduled = count_scheduled},
                            .one_at_a_time = true};
    struct weir_instrument *instruments[] = {&counts.hooks};
    options.instruments = instruments;
    options.instruments_count = 1;
    cr_expect_eq(run_with(crowd, NULL, options), 0);
    cr_expect(counts.one_at_a_time);
    cr_expect(counts.spawned == CROWD + 1 && counts.exited == CROWD + 1);
    cr_expect_eq(counts.begun, counts.ended);
    cr_expect_eq(counts.begun, counts.scheduled, "%ld steps, %ld times scheduled", counts.begun, counts.scheduled);
    cr_expect_eq(counts.begun, 2 + CROWD * (1 + 2 * 10), "%ld", counts.begun);
}

Test(instrument, hears_each_step_of_a_crowd_whose_ring_grows)
{
    count_a_crowd((struct weir_run_options){0});
}

Test(instrument, hears_each_step_of_a_shuffled_crowd)
{
    count_a_crowd((struct weir_run_options){.shuffle_seed = 7});
}

Test(instrument, hears_each_step_where_stacks_have_canaries)
{
    count_a_crowd((struct weir_run_options){.on_start = with_canaries});
}
