/* Asserting what is a checkpoint, and what is none. */
#include <weir/testing.h>

struct weir_points_guard weir_points_guard_open_(struct weir_points *points, int *status, bool expected,
                                                 const struct weir_site *site)
{
    weir_points_begin(points, site);
    return (struct weir_points_guard){.open = points, .status = status, .expected = expected};
}

/* What is wrong, in words; NULL: nothing. */
static const char *fault(const struct weir_points *points, bool expected, int status)
{
    bool cancel = points->cancel_points != 0, schedule = points->schedule_points != 0;
    if (!expected)
        return cancel || schedule ? "there was a checkpoint" : NULL;
    if (status < 0 || (cancel && schedule))
        return NULL;
    if (cancel)
        return "others could not have run";
    return schedule ? "no test for cancellation" : "there was no checkpoint";
}

void weir_points_guard_close_(struct weir_points_guard *guard)
{
    struct weir_points *points = guard->open;
    if (points == NULL)
        return;
    const struct weir_site *site = points->scope.site;
    *guard->status = weir_points_end(points, *guard->status);
    guard->open = NULL;
    const char *words = fault(points, guard->expected, *guard->status);
    if (words == NULL)
        return;
    weir_log(WEIR_LOG_ERROR, "%s:%d: %s in %s: %s", site->file, site->line, site->name, site->function, words);
    if (*guard->status >= 0)
        *guard->status = -EPROTO;
}
