/* Errors in trust, for other rooms: kept for a reader, and not lost if none comes. */
#ifndef WEIR_TRUST_H
#define WEIR_TRUST_H

#include <weir/base.h>

/* A nursery holds the error until somebody reads it; what nobody has read at the nursery's end joins its group then.
 * All zero: there is none. */
struct weir_trust {
    struct weir_error *error;
    uint64_t nursery;
};

/* What the current task would amount to if it ended with `status` now: that, or what its blocks did not read. */
int weir_current_outcome(int status);

/* For a task about to end with `status`: what makes it fail goes into trust with its nursery, and so fails nobody.
 * Returns what the task is to end with instead: 0, or -ECANCELED for a scope further out. Nothing is in trust if it was
 * no failure, or where no record is left: then `status`. Checkpoint: never. */
WEIR_MUST_CHECK int weir_trust_outcome(struct weir_trust *trust, int status);

/* An error of no task: it is in trust with the run itself. Where no record is left for it, it is logged, and is the
 * run's result if nothing else is. Checkpoint: never. */
void weir_trust_error(struct weir_trust *trust, int code, const struct weir_site *site);

/* Takes the error out of trust: it has been read, and is the caller's to free. NULL: there was none, or the nursery has
 * ended, and has reported it. In the run that made it. Checkpoint: never. */
struct weir_error *weir_trust_take(struct weir_trust *trust);

#endif
