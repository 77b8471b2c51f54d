/* Inside core/lcore: what the parts of the EAL's bring-up know of each other. */
#ifndef WEIR_LCORE_EAL_PRIVATE_H
#define WEIR_LCORE_EAL_PRIVATE_H

#include <weir/lcore.h>

/* ---- eal_log.c: what DPDK says ---- */

/* Leads what DPDK logs to us. Returns 0 or -errno. */
WEIR_MUST_CHECK int eal_log_open(void);
void eal_log_close(void);

/* Between these, whatever is written to stdout and stderr goes to a file in memory. */
struct eal_capture {
    int saved[2], file;
};
WEIR_MUST_CHECK int eal_capture_begin(struct eal_capture *capture);

/* Ends it, and writes the first line of interest to `line`: one that does not come from a usage text. */
void eal_capture_end(struct eal_capture *capture, char *line, size_t size);

/* ---- eal_files.c: what DPDK leaves ---- */

/* Sees to it that the EAL has a directory for its run time files: a private one if `own`, or if the usual place cannot
 * be written. Returns 0 or -errno. Call before rte_eal_init. */
WEIR_MUST_CHECK int eal_files_prepare(bool own);

/* Remembers where the EAL puts its files; shared: other processes may join there. Call after rte_eal_init, failed or
 * not. */
void eal_files_note(bool shared);

/* Removes them, unless another process uses them. */
void eal_files_remove(void);

#endif
