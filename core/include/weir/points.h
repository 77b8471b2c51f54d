/* Counting checkpoints: for the testing room, and others that judge what calls do. */
#ifndef WEIR_POINTS_H
#define WEIR_POINTS_H

#include <weir/scope.h>

/* What checkpoints the current task comes to, from weir_points_begin to weir_points_end: Trio's _cancel_points and
 * _schedule_points. Counting costs only while it goes on. As with scopes, what began last ends first; the end takes a
 * status and gives it back, as weir_scope_close does. Checkpoint: never. */
struct weir_points {
    struct weir_scope scope;
    uint32_t cancel_points;   /* at the end: how often it tested for cancellation                            */
    uint64_t schedule_points; /* not 0: it let others run, or was counted as a call that ended well without  */
};
void weir_points_begin(struct weir_points *points, const struct weir_site *site);
WEIR_MUST_CHECK int weir_points_end(struct weir_points *points, int status);

#endif
