/* Select: a task that stands in several lines at once; the first that it is called from is the one. */
#include <weir/select.h>

/* On the stack of the task that waits. */
struct weir_select {
    struct weir_task *task;
    struct weir_case *cases;
    unsigned entered; /* how many of them stand in line */
    int which;        /* the one that happened, or -1 */
    bool parked;
};

static void leave_all(struct weir_select *select, const struct weir_case *but)
{
    for (struct weir_case *one = select->cases; one != select->cases + select->entered; one++)
        if (one->kind != NULL && one != but)
            one->kind->leave(one);
}

void weir_case_happened(struct weir_case *one, int result)
{
    struct weir_select *select = one->select;
    WEIR_ASSERT_EQ(select->which, -1);
    one->result = result;
    select->which = (int)(one - select->cases);
    leave_all(select, one);
    if (select->parked)
        weir_task_wake(select->task, select->which);
}

void weir_case_leave_line(struct weir_case *one)
{
    weir_list_remove(&one->waiter.link);
}

static bool abort_select(struct weir_task *task, void *arg)
{
    leave_all(arg, NULL);
    return true;
}

static void describe(FILE *out, const struct weir_task *task, const void *arg)
{
    const struct weir_select *select = arg;
    const char *before = "";
    for (unsigned i = 0; i < select->entered; i++)
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

/* Stands in all lines. Returns the case that could not, or that happened by that very standing; or -EAGAIN. */
static int enter_all(struct weir_select *select, unsigned count)
{
    while (select->entered < count) {
        struct weir_case *one = &select->cases[select->entered++];
        if (one->kind == NULL)
            continue;
        one->select = select;
        one->waiter.of = one;
        one->result = 0;
        int rc = one->kind->enter(one);
        if (rc < 0) {
            select->entered--;
            leave_all(select, NULL);
            one->result = rc;
            select->which = (int)(one - select->cases);
        }
        if (select->which >= 0)
            return select->which;
    }
    return -EAGAIN;
}

/* Apart, so that what need not wait sets up no frame for it. */
static __attribute__((noinline)) int wait_for(struct weir_case *cases, unsigned count)
{
    struct weir_select select = {.task = weir_current_task(), .cases = cases, .which = -1};
    int which = enter_all(&select, count);
    if (which != -EAGAIN) {
        weir_fast_path_done();
        return which;
    }
    select.parked = true;
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
