/* Task-locals: variables of which each task has its own value. */
#ifndef WEIR_LOCAL_H
#define WEIR_LOCAL_H

#include <weir/base.h>

/* A variable of which each task has its own value: Python's ContextVar. A task starts with the values that the task had
 * which started it, whosever nursery it is; what either sets later, the other does not see. The main task, system
 * tasks, and what an alarm or a job starts, start with none set. A constant, at file scope. */
struct weir_local {
    const char *name;
    void *initial;
};

/* Returns the current task's value, or the initial one. Checkpoint: never. */
void *weir_local_get(const struct weir_local *local);

/* Sets the current task's value; what it points to is not copied. Returns 0; -ENOMEM: it is as before; -ESRCH: outside
 * of all tasks. Checkpoint: never. */
WEIR_MUST_CHECK int weir_local_set(const struct weir_local *local, void *value);

/* Block: weir_with_local(&user, "ann", rc) { ... } Sets a local, and sets it back however the block is left. On an
 * error of weir_local_set's, which is then in rc, it does not run; else rc is left alone. */
#define weir_with_local(local, value, rc) WEIR_BLOCK_(weir_local_guard, weir_local_guard_open_((local), (value), &(rc)))

/* ---- the blocks' machinery; not for direct use ---- */

struct weir_local_guard {
    const struct weir_local *open;
    struct weir_local_node *before;
};
struct weir_local_guard weir_local_guard_open_(const struct weir_local *local, void *value, int *status);
void weir_local_guard_close_(struct weir_local_guard *guard);

#endif
