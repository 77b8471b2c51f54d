/* Stacks, from one reserved range: committed by the kernel page by page as they are touched, kept for the next task. */
#include "task_private.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_STACK_REGISTER(start, end) 0
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13; uapi asm-generic/mman-common.h */
#endif

enum { PAGE = 4096, LINE = 64, STAGGER = 40 };
static const uint64_t CANARY = 0x5765697243616e61u;

static char *slot_of(struct stack_slab *stacks, unsigned index)
{
    return stacks->base + (size_t)index * stacks->size;
}

/* Tops that are all aligned alike would fight for the same cache sets: each is lower by another number of lines. */
static struct weir_task *task_in(struct stack_slab *stacks, unsigned index)
{
    size_t lower = (index * 7 % STAGGER) * LINE;
    size_t room = (sizeof(struct weir_task) + LINE - 1) & ~(size_t)(LINE - 1);
    return (struct weir_task *)(slot_of(stacks, index) + stacks->size - room - lower);
}

static unsigned mappings_left(void)
{
    unsigned max = 65530;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
    if (file != NULL) {
        if (fscanf(file, "%u", &max) != 1)
            max = 65530;
        fclose(file);
    }
    return max / 4; /* each guard makes two mappings, and the program wants some of its own */
}

/* Whether the kernel has MADV_GUARD_INSTALL. It is tried out, for qemu answers that all is well to any advice: a system
 * call that is to write there must fail. */
static bool guards_can_be_installed(char *page)
{
    return madvise(page, PAGE, MADV_GUARD_INSTALL) == 0 && getrandom(page, 1, GRND_NONBLOCK) < 0 && errno == EFAULT;
}

int weir_stacks_open(struct stack_slab *stacks, unsigned count, size_t size)
{
    if (count == 0 || size < 4 * PAGE || size % PAGE != 0)
        return -EINVAL;
    *stacks = (struct stack_slab){.size = size, .count = count};
    if (__builtin_mul_overflow((size_t)count, size, &stacks->length))
        return -ENOMEM;
    void *base = mmap(NULL, stacks->length, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (base == MAP_FAILED)
        return -ENOMEM;
    stacks->base = base;
    madvise(base, stacks->length, MADV_NOHUGEPAGE); /* or the first touch would commit 2 MB */
    stacks->guard = guards_can_be_installed(base) ? GUARD_INSTALL : GUARD_MPROTECT;
    stacks->protected_max = mappings_left();
    return 0;
}

void weir_stacks_close(struct stack_slab *stacks)
{
    if (stacks->base == NULL)
        return;
    for (unsigned index = 0; RUNNING_ON_VALGRIND && index < stacks->used; index++)
        VALGRIND_STACK_DEREGISTER(task_in(stacks, index)->valgrind_id);
    munmap(stacks->base, stacks->length);
    stacks->base = NULL;
}

/* Guards are installed when a slot is first used: a million up front would cost time and page tables.
 * Returns false when only a canary could be had. */
static bool guard(struct stack_slab *stacks, unsigned index)
{
    char *page = slot_of(stacks, index);
    if (stacks->guard == GUARD_INSTALL && madvise(page, PAGE, MADV_GUARD_INSTALL) == 0)
        return true;
    if (stacks->protected_max > 0 && mprotect(page, PAGE, PROT_NONE) == 0) {
        stacks->protected_max--;
        return true;
    }
    if (stacks->guard != GUARD_CANARY) {
        stacks->guard = GUARD_CANARY;
        weir_log(
            WEIR_LOG_ERROR,
            "no guard pages after %u stacks (vm.max_map_count): from here on an overflow is found by a canary at the "
            "next switch, not at once",
            index);
    }
    memcpy(page, &CANARY, sizeof CANARY);
    return false;
}

void weir_stack_check(struct stack_slab *stacks, struct weir_task *task)
{
    uint64_t found;
    if (!task->canary)
        return;
    memcpy(&found, slot_of(stacks, task->index), sizeof found);
    if (found == CANARY)
        return;
    fprintf(stderr, "weir: task %s overflowed its stack of %zu bytes (found by its canary)\n", weir_task_name(task),
            stacks->size);
    abort();
}

struct weir_task *weir_stacks_take_new(struct stack_slab *stacks)
{
    if (stacks->used == stacks->count)
        return NULL;
    unsigned index = stacks->used++;
    bool guarded = guard(stacks, index);
    struct weir_task *task = task_in(stacks, index);
    memset(task, 0, sizeof *task);
    task->index = index;
    task->unread_end = &task->unread;
    task->canary = !guarded;
    task->valgrind_id = VALGRIND_STACK_REGISTER(slot_of(stacks, index) + PAGE, task);
#if WEIR_ASAN
    task->context.bottom = slot_of(stacks, index) + PAGE;
    task->context.size = (size_t)((char *)task - (slot_of(stacks, index) + PAGE));
#endif
    return task;
}
