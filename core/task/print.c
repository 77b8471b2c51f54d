/* The tree printed: tasks, what each waits in, and the nurseries and scopes that it has open. */
#include "task_private.h"
#include <string.h>

enum { DEPTH_MAX = 60 };

/* Where in the picture the next line comes. */
struct picture {
    FILE *out;
    unsigned depth;
    uint64_t lines; /* bit d: more is to come at depth d, so a line runs down there */
};

static void print_duration(FILE *out, weir_time time)
{
    static const char *const units[] = {"ns", "us", "ms", "s"};
    double value = (double)time;
    int unit = 0;
    for (; value >= 1000 && unit < 3; unit++)
        value /= 1000;
    fprintf(out, unit == 3 ? "%.6g %s" : "%.3g %s", value, units[unit]);
}

static void print_branch(struct picture *picture, bool last)
{
    unsigned depth = picture->depth;
    picture->lines = last ? picture->lines & ~(1ull << depth) : picture->lines | 1ull << depth;
    for (unsigned above = 1; above < depth; above++)
        fputs(picture->lines >> above & 1 ? "│  " : "   ", picture->out);
    if (depth > 0)
        fputs(last ? "└─ " : "├─ ", picture->out);
}

static void print_place(FILE *out, const struct weir_site *site)
{
    fprintf(out, " in %s, %s:%d", site->function, site->file, site->line);
}

static void print_wait(FILE *out, const struct weir_task *task)
{
    if (task == weir_loop_->current) {
        fputs("runs", out);
    } else if (task->wait == NULL) {
        fputs("is about to run", out);
    } else {
        fprintf(out, "%s for ", task->wait->name);
        print_duration(out, weir_loop_->now - task->since);
        if (task->wait->describe != NULL) {
            fputs(" (", out);
            task->wait->describe(out, task, task->wait_arg);
            fputc(')', out);
        }
    }
}

/* Of those that the task has open the next one inside `outer`, but for those that only stand there; NULL: none. */
static const struct weir_scope *next_scope(const struct weir_task *task, const struct weir_scope *outer)
{
    const struct weir_scope *found = NULL;
    for (const struct weir_scope *at = task->scope; at != NULL && at != outer; at = at->parent)
        if (at->nursery != NULL || at->cancel_called || at->shield || at->deadline != WEIR_NEVER)
            found = at;
    return found;
}

static void print_scope(struct picture *picture, const struct weir_task *task, const struct weir_scope *scope);

static void print_task(struct picture *picture, const struct weir_task *task, bool last)
{
    FILE *out = picture->out;
    print_branch(picture, last);
    fprintf(out, "%s: ", task->site->name);
    print_wait(out, task);
    if (task->scope->effectively_cancelled)
        fputs("; cancelled", out);
    fputs("; started", out);
    print_place(out, task->site);
    fputc('\n', out);
    picture->depth++;
    print_scope(picture, task, next_scope(task, &task->nursery->scope));
    picture->depth--;
}

static void print_children(struct picture *picture, const struct weir_nursery *nursery, bool more)
{
    const struct weir_task *child;
    WEIR_LIST_FOREACH (child, &nursery->children, const struct weir_task, sibling)
        print_task(picture, child, !more && child->sibling.next == &nursery->children);
}

static void print_state(FILE *out, const struct weir_scope *scope)
{
    if (scope->cancel_called) {
        fputs(": cancelled: ", out);
        weir_reason_print(out, &scope->reason);
    } else if (scope->deadline != WEIR_NEVER) {
        fputs(": ", out);
        print_duration(out, scope->deadline - weir_loop_->now);
        fputs(" left", out);
    }
    if (scope->shield)
        fputs(scope->shield == WEIR_SHIELD_GRACE ? "; shielded during grace" : "; shielded", out);
}

/* And what is in it: children first, then what the task has open inside. */
static void print_scope(struct picture *picture, const struct weir_task *task, const struct weir_scope *scope)
{
    if (scope == NULL)
        return;
    const struct weir_scope *inner = next_scope(task, scope);
    print_branch(picture, true);
    if (picture->depth >= DEPTH_MAX) {
        fputs("...\n", picture->out);
        return;
    }
    if (scope->nursery != NULL && strcmp(scope->site->name, "nursery") != 0)
        fputs("weir_start of ", picture->out);
    fputs(scope->site->name, picture->out);
    print_place(picture->out, scope->site);
    print_state(picture->out, scope);
    fputc('\n', picture->out);
    picture->depth++;
    if (scope->nursery != NULL)
        print_children(picture, scope->nursery, inner != NULL);
    print_scope(picture, task, inner);
    picture->depth--;
}

void weir_print_tree(FILE *out)
{
    struct picture picture = {.out = out};
    struct weir_loop *loop = weir_loop_;
    if (loop == NULL)
        return;
    print_children(&picture, &loop->root, false);
    if (weir_list_empty(&loop->system.children))
        return;
    fputs("system tasks\n", out);
    picture.depth++;
    print_children(&picture, &loop->system, false);
}
