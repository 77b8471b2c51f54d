/* Error records, set aside beforehand: a task holds one from the start, so that running out of memory loses no error.
 */
#include "task_private.h"
#include <stdlib.h>
#include <sys/mman.h>

int weir_errors_open(struct weir_loop *loop, unsigned count)
{
    /* Mapped, not allocated: never touched where nothing fails. */
    void *slab = mmap(NULL, count * sizeof(struct weir_error), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (slab == MAP_FAILED)
        return -ENOMEM;
    loop->errors_slab = slab;
    loop->errors_max = count;
    return 0;
}

void weir_errors_close(struct weir_loop *loop)
{
    if (loop->errors_slab != NULL)
        munmap(loop->errors_slab, loop->errors_max * sizeof(struct weir_error));
    loop->errors_slab = NULL;
}

struct weir_error *weir_error_take(struct weir_loop *loop)
{
    struct weir_error *error = loop->errors_free;
    if (error != NULL)
        loop->errors_free = error->next;
    else if (loop->errors_used < loop->errors_max)
        error = &loop->errors_slab[loop->errors_used++];
    else
        return NULL;
    error->next = error->children = NULL;
    error->code = 0;
    return error;
}

void weir_error_give(struct weir_loop *loop, struct weir_error *error)
{
    error->next = loop->errors_free;
    loop->errors_free = error;
}

void weir_error_free(struct weir_error *group)
{
    struct weir_loop *loop = weir_loop_;
    while (group != NULL) { /* flattened as it goes: no recursion on a task's stack */
        struct weir_error *error = group;
        group = error->next;
        if (error->children != NULL) {
            struct weir_error **end = &error->children;
            while (*end != NULL)
                end = &(*end)->next;
            *end = group;
            group = error->children;
        }
        WEIR_ASSERT(loop->errors_held > 0);
        loop->errors_held--;
        weir_error_give(loop, error);
    }
}
