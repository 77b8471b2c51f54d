/* Tasks, and the tree that they form. */
#ifndef WEIR_TREE_H
#define WEIR_TREE_H

#include <weir/nursery.h>

struct weir_task *weir_current_task(void);
const char *weir_task_name(const struct weir_task *task);

/* The task's name, and where it was started. Checkpoint: never. */
const struct weir_site *weir_task_site(const struct weir_task *task);

/* The tree, as Trio's parent_nursery, parent_task, child_nurseries and child_tasks. `after`: NULL for the first; NULL
 * comes after the last. At the top stands the run's own nursery, in which the main task is; it has no parent task.
 * System tasks come after all others. While weir_start waits, its child is in a nursery of the caller's that weir_start
 * opened, as in Trio; where it will move to is its eventual parent (NULL: nowhere, or it has reported). They may be
 * walked as long as no checkpoint comes between. Checkpoint: never. */
struct weir_task *weir_root_task(void); /* the main task; NULL once it has ended */
struct weir_nursery *weir_task_parent_nursery(const struct weir_task *task);
struct weir_nursery *weir_task_eventual_parent_nursery(const struct weir_task *task);
struct weir_task *weir_nursery_parent_task(const struct weir_nursery *nursery);
struct weir_nursery *weir_task_next_nursery(const struct weir_task *task, const struct weir_nursery *after);
struct weir_task *weir_nursery_next_child(const struct weir_nursery *nursery, const struct weir_task *after);
struct weir_task *weir_nursery_newest_child(const struct weir_nursery *nursery); /* NULL: there is none */

/* All living tasks, parents before their children: asyncio's all_tasks. */
struct weir_task *weir_next_task(const struct weir_task *after);

/* What a task does just now; and see weir_task_cancel_reason. */
struct weir_task_status {
    const struct weir_wait *wait; /* what it waits in; NULL: it runs, or is about to */
    const void *wait_arg;         /* for wait->describe                              */
    weir_time since;              /* when the wait began; without one: now           */
    weir_time deadline;           /* its effective one, as weir_current_effective_deadline */
    bool cancelled;               /* its next checkpoint will answer -ECANCELED       */
};
void weir_task_get_status(const struct weir_task *task, struct weir_task_status *status);

/* Prints the loop's tasks as a tree, with the nurseries and the scopes of interest (those that are cancelled or
 * shielded or have a deadline) that each has open: names, where they were started and opened, what each task waits in
 * and for how long, how much time is left. Where no loop runs it prints nothing. Wants 16 KiB of stack.
 * Checkpoint: never. */
void weir_print_tree(FILE *out);

#endif
