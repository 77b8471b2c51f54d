/* A stack that overflows hits its guard page: SIGSEGV, handled on a stack of its own, which names the task. */
#include "task_private.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, HANDLER_STACK = 64 * 1024 };

/* The handler is the process's; what it needs to know is this thread's. */
static __thread stack_t replaced_stack;
static __thread void *handler_stack;
static struct sigaction replaced;
static atomic_int installed;

/* Only what may be called in a signal handler: no printf. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
    struct weir_loop *loop = weir_loop_;
    const struct weir_task *task = loop != NULL ? loop->current : NULL;
    if (task != NULL) {
        char *slot = loop->stacks.base + (size_t)task->index * loop->stacks.size;
        if ((char *)info->si_addr >= slot && (char *)info->si_addr < slot + PAGE) {
            weir_say("weir: task ");
            weir_say(task->site->name);
            weir_say(" (started in ");
            weir_say(task->site->function);
            weir_say(", ");
            weir_say(task->site->file);
            weir_say(":");
            weir_say_number((size_t)task->site->line);
            weir_say(") overflowed its stack of ");
            weir_say_number(loop->stacks.size);
            weir_say(" bytes; give it less on the stack, or weir_run a larger stack_size\n");
        }
    }
    /* Whoever was here before us decides what becomes of the process. */
    sigaction(signal, &replaced, NULL);
}

int weir_overflow_handler_install(void)
{
    handler_stack = mmap(NULL, HANDLER_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (handler_stack == MAP_FAILED) {
        handler_stack = NULL;
        return -ENOMEM;
    }
    stack_t stack = {.ss_sp = handler_stack, .ss_size = HANDLER_STACK};
    sigaltstack(&stack, &replaced_stack);
    if (atomic_fetch_add(&installed, 1) == 0) {
        struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
        sigemptyset(&action.sa_mask);
        sigaction(SIGSEGV, &action, &replaced);
    }
    return 0;
}

void weir_overflow_handler_remove(void)
{
    if (handler_stack == NULL)
        return;
    if (atomic_fetch_sub(&installed, 1) == 1)
        sigaction(SIGSEGV, &replaced, NULL);
    replaced_stack.ss_flags &= SS_DISABLE; /* what the kernel reports is not all what it accepts */
    sigaltstack(&replaced_stack, NULL);
    munmap(handler_stack, HANDLER_STACK);
    handler_stack = NULL;
}
