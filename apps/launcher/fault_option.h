/* --fault: what a bad wire shall do. */
#ifndef LAUNCHER_FAULT_OPTION_H
#define LAUNCHER_FAULT_OPTION_H

#include <weir/net/dev.h>

/* Reads "loss=0.1,delay=10ms,seed=7,..." into `fault` and `seed`. Writes what is wrong into `error` otherwise.
 * Returns 0 or -EINVAL. Changes `text`. */
WEIR_MUST_CHECK int fault_option(char *text, struct weir_fault *fault, uint64_t *seed, char *error, size_t size);

#endif
