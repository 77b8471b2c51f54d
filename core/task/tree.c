/* The tree of tasks and nurseries, to look at: Trio's parent_nursery, child_tasks and their kin. */
#include "task_private.h"

struct weir_task *weir_current_task(void)
{
    return weir_loop_ != NULL ? weir_loop_->current : NULL;
}

struct weir_task *weir_root_task(void)
{
    return weir_loop_->main;
}

const char *weir_task_name(const struct weir_task *task)
{
    return task->site->name;
}

const struct weir_site *weir_task_site(const struct weir_task *task)
{
    return task->site;
}

struct weir_nursery *weir_task_parent_nursery(const struct weir_task *task)
{
    return task->nursery;
}

struct weir_nursery *weir_task_eventual_parent_nursery(const struct weir_task *task)
{
    return task->start != NULL ? task->start->target : NULL;
}

struct weir_task *weir_nursery_parent_task(const struct weir_nursery *nursery)
{
    return nursery->parent;
}

/* The node behind `after` in a list, or its first; NULL: there is none. */
static struct weir_list *next_in(const struct weir_list *list, const struct weir_list *after)
{
    struct weir_list *next = after != NULL ? after->next : list->next;
    return next != list ? next : NULL;
}

struct weir_nursery *weir_task_next_nursery(const struct weir_task *task, const struct weir_nursery *after)
{
    /* Those that it has open lie among its scopes, the innermost first. */
    const struct weir_scope *end = after != NULL ? &after->scope : &task->nursery->scope;
    struct weir_nursery *next = NULL;
    for (const struct weir_scope *at = task->scope; at != end && at != NULL; at = at->parent)
        if (at->nursery != NULL)
            next = at->nursery;
    return next;
}

struct weir_task *weir_nursery_next_child(const struct weir_nursery *nursery, const struct weir_task *after)
{
    struct weir_list *next = next_in(&nursery->children, after != NULL ? &after->sibling : NULL);
    return next != NULL ? WEIR_CONTAINER_OF(next, struct weir_task, sibling) : NULL;
}

struct weir_task *weir_nursery_newest_child(const struct weir_nursery *nursery)
{
    const struct weir_list *children = &nursery->children;
    return weir_list_empty(children) ? NULL : WEIR_CONTAINER_OF(children->prev, struct weir_task, sibling);
}

unsigned weir_nursery_child_count(const struct weir_nursery *nursery)
{
    unsigned count = 0;
    for (const struct weir_list *at = nursery->children.next; at != &nursery->children; at = at->next)
        count++;
    return count;
}

/* The first child in the task's nurseries that come after `nursery` (NULL: in any). */
static struct weir_task *child_beyond(const struct weir_task *task, const struct weir_nursery *nursery)
{
    while ((nursery = weir_task_next_nursery(task, nursery)) != NULL) {
        struct weir_task *child = weir_nursery_next_child(nursery, NULL);
        if (child != NULL)
            return child;
    }
    return NULL;
}

/* The first task of the first nursery at the top that has any. */
static struct weir_task *first_of(struct weir_loop *loop)
{
    struct weir_task *first = weir_nursery_next_child(&loop->root, NULL);
    return first != NULL ? first : weir_nursery_next_child(&loop->system, NULL);
}

struct weir_task *weir_next_task(const struct weir_task *after)
{
    struct weir_loop *loop = weir_loop_;
    if (after == NULL)
        return first_of(loop);
    struct weir_task *next = child_beyond(after, NULL);
    while (next == NULL && after != NULL) { /* nothing below: beside it, or beside whoever it stands under */
        const struct weir_nursery *nursery = after->nursery;
        next = weir_nursery_next_child(nursery, after);
        after = nursery->parent;
        if (next == NULL && after != NULL)
            next = child_beyond(after, nursery);
        if (next == NULL && nursery == &loop->root)
            next = weir_nursery_next_child(&loop->system, NULL);
    }
    return next;
}

void weir_task_get_status(const struct weir_task *task, struct weir_task_status *status)
{
    *status = (struct weir_task_status){
        .wait = task->wait,
        .wait_arg = task->wait_arg,
        .since = task->wait != NULL ? task->since : weir_loop_->now,
        .deadline = weir_scope_effective_deadline(task->scope),
        .cancelled = task->scope->effectively_cancelled,
    };
}
