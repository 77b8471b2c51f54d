/* Memory of users that packets refer to, and when it is theirs again. The last reference goes wherever the last packet
 * is freed: in the middle of an ACK, in a device. Users are told at one place, once a turn. */
#include "stack_private.h"

static void last_reference_gone(void *memory, void *arg)
{
    struct weir_external *external = arg;

    weir_list_remove(&external->link);
    if (external->stack != NULL)
        weir_list_append(&external->stack->externals_done, &external->link);
    else
        external->done(external);
}

void weir_external_open(struct weir_external *external, struct weir_stack *stack)
{
    external->sent = 0;
    external->stack = stack;
    external->shared = (struct rte_mbuf_ext_shared_info){.free_cb = last_reference_gone, .fcb_opaque = external};
    rte_mbuf_ext_refcnt_set(&external->shared, 1);
    weir_list_init(&external->link);
    weir_list_append(&stack->externals, &external->link);
}

void weir_external_release(struct weir_external *external)
{
    if (rte_mbuf_ext_refcnt_update(&external->shared, -1) == 0)
        last_reference_gone(NULL, external);
}

void weir_stack_tell_externals(struct weir_stack *stack)
{
    struct weir_external *external;

    while ((external = WEIR_LIST_FIRST(&stack->externals_done, struct weir_external, link)) != NULL) {
        weir_list_remove(&external->link);
        external->done(external);
    }
}

void weir_stack_leave_externals(struct weir_stack *stack)
{
    struct weir_external *external;

    weir_stack_tell_externals(stack);
    while ((external = WEIR_LIST_FIRST(&stack->externals, struct weir_external, link)) != NULL) {
        weir_list_remove(&external->link);
        external->stack = NULL;
    }
}
