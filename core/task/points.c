/* Counting checkpoints. Tests for cancellation are not counted where nobody asks: a scope that does asks for a
 * checkpoint's attention, as a cancelled one does. What lets others run leaves its trace anyway. */
#include "task_private.h"
#include <weir/points.h>

/* Grows with each switch, and with each call that ended well without one: while a task runs the ring's head stands
 * still, and it has moved on before there is more to spend. */
static uint64_t schedule_points(const struct weir_loop *loop)
{
    return loop->head * (FAST_PATH_MAX + 1) + (FAST_PATH_MAX - loop->fast_left);
}

void weir_points_begin(struct weir_points *points, const struct weir_site *site)
{
    weir_scope_open_(&points->scope, WEIR_NEVER, site);
    points->scope.attention |= ATTENTION_COUNTED;
    points->cancel_points = weir_loop_->current->cancel_points;
    points->schedule_points = schedule_points(weir_loop_);
}

int weir_points_end(struct weir_points *points, int status)
{
    points->cancel_points = weir_loop_->current->cancel_points - points->cancel_points;
    points->schedule_points = schedule_points(weir_loop_) - points->schedule_points;
    return weir_scope_close(&points->scope, status);
}
