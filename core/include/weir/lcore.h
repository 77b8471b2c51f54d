/* The lcore room: DPDK's environment (the EAL) up and down, and what concerns the whole process: signals, crashes. The
 * first room that knows DPDK. None of this is a checkpoint; all of it is for the thread that calls weir_run. */
#ifndef WEIR_LCORE_H
#define WEIR_LCORE_H

#include <weir/task.h>

/* ---- the EAL ---- */

struct weir_eal_options {
    const char *program; /* as whom DPDK speaks; NULL: "weir" */
    /* The user's EAL arguments, as DPDK's users pass them, without a program's name: they reach the EAL unchanged.
     * NULL: Weir's own, which need no hugepages, no privilege and no files: lcore 0 on the CPUs that this process may
     * use (taskset chooses), plain memory, no PCI scan, no telemetry unless it is asked for. */
    char **arguments;
    int count;
    unsigned memory_mb; /* of plain memory, with Weir's own arguments: what pools and rings will need; 0: 64 */
    bool telemetry;  /* with Weir's own arguments: answer dpdk-telemetry.py, at a socket of the file prefix weir-PID */
    const char *pci; /* with Weir's own arguments: a PCI device to probe, or NULL. Uses hugepages if any are free.  */
};

/* Starts the EAL, once in a process. What DPDK says meanwhile is not shown (unless the user's arguments ask for
 * --log-level or --help); afterwards, its warnings and errors go through weir_log.
 * Returns 0, or -errno with one line in `error` (of `size` bytes) that says what was wrong and what to do. */
WEIR_MUST_CHECK int weir_eal_open(const struct weir_eal_options *options, char *error, size_t size);

/* Stops the EAL and removes the files that it made at run time. Every device and pool must be closed before. Fine if it
 * was never opened. */
void weir_eal_close(void);

/* From the next call of weir_eal_log_keep on, until weir_eal_log_pass, what DPDK logs is kept instead of shown: for the
 * time when a device is opened, when only a failure makes it worth reading. */
void weir_eal_log_keep(void);
void weir_eal_log_pass(void);

/* Returns the first error that DPDK logged since weir_eal_log_keep, one line without its end; "" if there was none. */
const char *weir_eal_log_kept(void);

/* ---- signals ---- */

/* From now on SIGINT, SIGTERM and SIGHUP interrupt the main thread's loop instead of ending the process, and SIGPIPE
 * does nothing. One that comes before there is a loop interrupts it when it begins. The third one ends the process.
 * A task that opens a receiver of one (weir/system.h) has it meanwhile. */
void weir_signals_catch(void);

/* Gives the signals back to whoever had them. */
void weir_signals_restore(void);

/* ---- the EAL's interrupt thread ---- */

/* Holds DPDK's interrupt thread still, but for weir_interrupts_pass: for a driver that tears down, in that thread, what
 * another one is using. Held once for each caller. All of this is for one thread, the one that polls. Returns 0, or
 * what rte_eal_alarm_set says. */
WEIR_MUST_CHECK int weir_interrupts_hold(void);

/* Lets it do what has become due, and waits until it is held again: some microseconds. */
void weir_interrupts_pass(void);
void weir_interrupts_release(void);

#endif
