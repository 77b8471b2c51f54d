/* Task-locals: a list a task, the values set last in front. Nodes are counted; one that others see too is never
 * written, so that a child inherits all by holding the first. */
#include "task_private.h"
#include <stdlib.h>

struct weir_local_node {
    unsigned holders;
    const struct weir_local *local;
    void *value;
    struct weir_local_node *next;
};

static struct weir_local_node *hold(struct weir_local_node *node)
{
    if (node != NULL)
        node->holders++;
    return node;
}

static void release(struct weir_local_node *node)
{
    while (node != NULL && --node->holders == 0) {
        struct weir_local_node *next = node->next;
        free(node);
        node = next;
    }
}

static struct weir_local_node *make(const struct weir_local *local, void *value)
{
    struct weir_local_node *node = malloc(sizeof *node);
    if (node != NULL)
        *node = (struct weir_local_node){.holders = 1, .local = local, .value = value};
    return node;
}

void weir_locals_inherit_(struct weir_task *child, struct weir_task *from)
{
    child->locals = hold(from->locals);
}

void weir_locals_drop_(struct weir_task *task)
{
    release(task->locals);
    task->locals = NULL;
}

void *weir_local_get(const struct weir_local *local)
{
    struct weir_task *self = weir_current_task();
    for (struct weir_local_node *node = self != NULL ? self->locals : NULL; node != NULL; node = node->next)
        if (node->local == local)
            return node->value;
    return local->initial;
}

/* The node that holds the local's value, if nobody else sees it; else NULL. */
static struct weir_local_node *find_own(const struct weir_task *task, const struct weir_local *local)
{
    struct weir_local_node *node = task->locals;
    while (node != NULL && node->holders == 1 && node->local != local)
        node = node->next;
    return node != NULL && node->holders == 1 ? node : NULL;
}

/* Makes a list that is as another, without one local; what comes behind that is shared. Returns 0 or -ENOMEM. */
static int make_without(struct weir_local_node **made, struct weir_local_node *list, const struct weir_local *local)
{
    struct weir_local_node *rest = list, **end = made;
    for (struct weir_local_node *node = list; node != NULL; node = node->next)
        if (node->local == local)
            rest = node->next;
    *made = NULL;
    for (; list != rest; list = list->next) {
        if (list->local == local)
            continue;
        *end = make(list->local, list->value);
        if (*end == NULL) {
            release(*made);
            return -ENOMEM;
        }
        end = &(*end)->next;
    }
    *end = hold(rest);
    return 0;
}

int weir_local_set(const struct weir_local *local, void *value)
{
    struct weir_task *self = weir_current_task();
    if (self == NULL)
        return -ESRCH;
    struct weir_local_node *node = find_own(self, local);
    if (node != NULL) {
        node->value = value;
        return 0;
    }
    node = make(local, value);
    if (node == NULL || make_without(&node->next, self->locals, local) < 0) {
        free(node);
        return -ENOMEM;
    }
    release(self->locals);
    self->locals = node;
    return 0;
}

/* The node to go back with is set aside, so that the block's end cannot fail. */
struct weir_local_guard weir_local_guard_open_(const struct weir_local *local, void *value, int *status)
{
    struct weir_local_guard guard = {.before = make(local, weir_local_get(local))};
    int rc = guard.before != NULL ? weir_local_set(local, value) : -ENOMEM;
    if (rc < 0) {
        free(guard.before);
        *status = rc;
    } else {
        guard.open = local;
    }
    return guard;
}

void weir_local_guard_close_(struct weir_local_guard *guard)
{
    struct weir_task *self = weir_loop_->current;
    if (guard->open == NULL)
        return;
    struct weir_local_node *node = find_own(self, guard->open);
    if (node != NULL) {
        node->value = guard->before->value;
        free(guard->before);
    } else { /* in front of the old one: the next to set it takes that away */
        guard->before->next = self->locals;
        self->locals = guard->before;
    }
    guard->open = NULL;
}
