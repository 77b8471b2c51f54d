/* What other rooms keep for each run: a list, the newest first. They are few. */
#include "task_private.h"
#include <stdlib.h>

struct kept {
    struct weir_list link;
    const struct weir_run_state *kind;
    _Alignas(max_align_t) char state[];
};

void *weir_run_state_find(const struct weir_run_state *kind)
{
    struct kept *kept;
    WEIR_LIST_FOREACH (kept, &weir_loop_->states, struct kept, link)
        if (kept->kind == kind)
            return kept->state;
    return NULL;
}

int weir_run_state_get(const struct weir_run_state *kind, void **state)
{
    void *found = weir_run_state_find(kind);
    if (found == NULL) {
        struct kept *kept = calloc(1, sizeof *kept + kind->size);
        if (kept == NULL)
            return -ENOMEM;
        kept->kind = kind;
        int rc = kind->open != NULL ? kind->open(kept->state) : 0;
        if (rc < 0) {
            free(kept);
            return rc;
        }
        weir_list_append(weir_loop_->states.next, &kept->link); /* in front */
        found = kept->state;
    }
    *state = found;
    return 0;
}

/* One that is being closed is still there to be found; what that makes anew is closed in its turn. */
void weir_run_states_close(struct weir_loop *loop)
{
    struct kept *kept;
    while ((kept = WEIR_LIST_FIRST(&loop->states, struct kept, link)) != NULL) {
        if (kept->kind->close != NULL)
            kept->kind->close(kept->state);
        weir_list_remove(&kept->link);
        free(kept);
    }
}
