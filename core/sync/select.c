/* Select: a task that stands in several lines at once; the first that it is called from is the one. */
#include <weir/select.h>

/* On the stack of the task that waits. */
struct weir_select {
    struct weir_task *task;
    struct weir_case *cases;
    unsigned count;
};

/* Leaves the lines of all cases before `end` but that of `stays`. */
static void leave_all(struct weir_case *cases, const struct weir_case *end, const struct weir_case *stays)
{
    for (struct weir_case *one = cases; one != end; one++)
        if (one->kind != NULL && one != stays)
            one->kind->leave(one);
}

void weir_case_happened(struct weir_case *one, int result)
{
    struct weir_select *select = one->select;
    one->result = result;
    leave_all(select->cases, select->cases + select->count, one);
    weir_task_wake(select->task, (int)(one - select->cases));
}

void weir_case_leave_line(struct weir_case *one)
{
    weir_list_remove(&one->waiter.link);
}

static bool abort_select(struct weir_task *task, void *arg)
{
    struct weir_select *select = arg;
    leave_all(select->cases, select->cases + select->count, NULL);
    return true;
}

static void describe(FILE *out, const struct weir_task *task, const void *arg)
{
    const struct weir_select *select = arg;
    const char *before = "";
    for (unsigned i = 0; i < select->count; i++)
        if (select->cases[i].kind != NULL) {
            fprintf(out, "%s%s", before, select->cases[i].kind->name);
            before = ", ";
        }
}

static const struct weir_wait select_wait = {.name = "weir_select", .abort = abort_select, .describe = describe};

int weir_select_nowait(struct weir_case *cases, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (cases[i].kind == NULL)
            continue;
        cases[i].result = cases[i].kind->attempt(&cases[i]);
        if (cases[i].result != -EAGAIN)
            return (int)i;
    }
    return -EAGAIN;
}

static __attribute__((noinline)) int wait_for(struct weir_case *cases, unsigned count)
{
    struct weir_select select = {.task = weir_current_task(), .cases = cases, .count = count};
    for (unsigned i = 0; i < count; i++) {
        struct weir_case *one = &cases[i];
        if (one->kind == NULL)
            continue;
        one->select = &select;
        one->waiter.of = one;
        one->result = one->kind->enter(one);
        if (one->result < 0) {
            leave_all(cases, one, NULL);
            weir_fast_path_done();
            return (int)i;
        }
    }
    return weir_task_park(&select_wait, &select);
}

int weir_select(struct weir_case *cases, unsigned count)
{
    WEIR_TRY(weir_checkpoint_if_cancelled());
    int which = weir_select_nowait(cases, count);
    if (which == -EAGAIN)
        return wait_for(cases, count);
    weir_fast_path_done();
    return which;
}

/* ---- a time ---- */

static void time_came(struct weir_alarm *alarm)
{
    weir_case_happened(WEIR_CONTAINER_OF(alarm, struct weir_case, alarm), 0);
}

static int attempt_until(struct weir_case *one)
{
    return one->until <= weir_current_time() ? 0 : -EAGAIN;
}

static int enter_until(struct weir_case *one)
{
    weir_alarm_init(&one->alarm, time_came);
    weir_alarm_set(&one->alarm, one->until);
    return 0;
}

static void leave_until(struct weir_case *one)
{
    weir_alarm_clear(&one->alarm);
}

const struct weir_case_kind weir_until_case = {
    .name = "weir_sleep_until", .attempt = attempt_until, .enter = enter_until, .leave = leave_until};
