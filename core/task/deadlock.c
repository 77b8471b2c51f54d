/* The deadlock report: every task waits, and nothing can wake any of them. */
#include "task_private.h"

/* Whether anybody but a task could make something happen. */
static bool is_expected(struct weir_loop *loop)
{
    return loop->wakes_expected > 0 || loop->wheel.armed > 0 || !weir_list_empty(&loop->pollers) ||
           !weir_list_empty(&loop->quiet);
}

/* Who sleeps for ever waits for somebody outside to cancel him, and knows it. */
static bool somebody_sleeps_forever(void)
{
    for (const struct weir_task *task = NULL; (task = weir_next_task(task)) != NULL;)
        if (task->wait == &weir_forever_wait)
            return true;
    return false;
}

/* Once for each: `head` counts the steps that tasks have made. */
void weir_deadlock_check(struct weir_loop *loop)
{
    if (WEIR_LIKELY(is_expected(loop)) || loop->deadlock_seen == loop->head || somebody_sleeps_forever())
        return;
    loop->deadlock_seen = loop->head;
    fprintf(stderr, "weir: deadlock: %u task%s, and nothing can wake any of them:\n", loop->living,
            loop->living == 1 ? " waits" : "s wait");
    weir_print_tree(stderr);
    if (loop->deadlock_ends)
        weir_scope_cancel_why(&loop->root.scope,
                              &(struct weir_reason){.what = "deadlock", .code = -EDEADLK, .loop = loop->number});
}
