/* Crashes that are known, explained. */
#include <dlfcn.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>
#include <weir/lcore.h>

static struct sigaction before;

static void *program_counter(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (void *)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (void *)context->uc_mcontext.pc;
#endif
}

static void on_crash(int number, siginfo_t *info, void *context)
{
    static const char memif[] =
        "weir: DPDK's memif driver crashed. It is known to when its peer disconnects (22.11): its thread takes the "
        "shared\n"
        "weir: memory away under a burst. Nothing of the program is at fault; start it again.\n";
    Dl_info library;

    if (dladdr(program_counter(context), &library) != 0 && strstr(library.dli_fname, "net_memif") != NULL) {
        if (write(STDERR_FILENO, memif, sizeof(memif) - 1) < 0)
            _exit(1);
    }
    sigaction(number, &before, NULL); /* the instruction runs again, and ends the process as it would have */
}

void weir_crashes_explain(void)
{
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    sigaction(SIGSEGV, &action, &before);
}
