/* What the files of core/system share. */
#ifndef WEIR_SYSTEM_PRIVATE_H
#define WEIR_SYSTEM_PRIVATE_H

#include <weir/system.h>

/* ---- spawn.c ---- */

struct weir_spawn {
    char *const *argv;
    char *const *environment;
    const char *cwd;
    int fds[3]; /* what it gets as 0, 1 and 2; -1: ours */
    pid_t pid;
    int pidfd;
};

/* Starts a process, and waits until it runs or cannot: in a thread. Returns 0 or -errno. Checkpoint: always. */
WEIR_MUST_CHECK int weir_spawn(struct weir_spawn *spawn);

/* ---- process.c ---- */

/* weir_process_close, but without a checkpoint if it has ended. */
void weir_process_let_go(struct weir_process *process);

#endif
