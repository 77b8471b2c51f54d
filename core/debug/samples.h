/* How often which task was seen to run. Private to this room. */
#ifndef WEIR_DEBUG_SAMPLES_H
#define WEIR_DEBUG_SAMPLES_H

#include "table.h"
#include <weir/task.h>

struct weir_samples {
    struct weir_table sites;          /* by where tasks were started, and under which name */
    uint64_t asleep, loop, elsewhere; /* not a task; and tasks of more sites than are kept */
};

void weir_samples_open(struct weir_samples *samples);
void weir_samples_add(struct weir_samples *samples, const struct weir_glance *glance);
void weir_samples_print(const struct weir_samples *samples, FILE *out);
void weir_samples_close(struct weir_samples *samples);

#endif
