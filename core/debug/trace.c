/* A trace to open in Perfetto or chrome://tracing: each task a track; on it what it waited in, and its steps. The
 * format is Google's "Trace Event Format", JSON objects: X a slice, M a track's name, s and f an arrow's ends, i a
 * moment. */
#include "table.h"
#include "trace_file.h"
#include <stdlib.h>
#include <weir/debug.h>

enum { LOOP_TRACK = 0 };

/* A living task. */
struct track {
    const void *task;
    uint64_t id;
    weir_time since;      /* when it parked, was made runnable, or its step began */
    const char *waits;    /* in what; NULL: it does not                            */
    bool runnable, began; /* `began`: its first step                               */
    bool exited;
};

struct weir_trace {
    struct weir_instrument instrument;
    struct weir_trace_file file;
    struct weir_clock *clock;
    struct weir_table tracks;
    uint64_t ids;
    unsigned loop;
    bool named;     /* the loop was */
    weir_time last; /* when the clock was read last */
    weir_time io_since;
};

static struct weir_trace *trace_of(struct weir_instrument *instrument)
{
    return WEIR_CONTAINER_OF(instrument, struct weir_trace, instrument);
}

static weir_time read_clock(struct weir_trace *trace)
{
    return trace->last = trace->clock->now(trace->clock);
}

/* ---- events ---- */

/* Begins an event that happens at a time, in microseconds as the format wants them. */
static bool begin(struct weir_trace *trace, char kind, uint64_t track, weir_time time)
{
    if (!weir_trace_file_begin(&trace->file))
        return false;
    weir_trace_file_printf(&trace->file, "\"ph\":\"%c\",\"pid\":%u,\"tid\":%llu,\"ts\":%lld.%03lld", kind, trace->loop,
                           (unsigned long long)track, (long long)(time / 1000), (long long)(time % 1000));
    return true;
}

static void field(struct weir_trace *trace, const char *key, const char *value)
{
    weir_trace_file_printf(&trace->file, ",\"%s\":", key);
    weir_trace_file_string(&trace->file, value);
}

static void slice(struct weir_trace *trace, uint64_t track, const char *category, const char *name, weir_time from,
                  weir_time to)
{
    if (!begin(trace, 'X', track, from))
        return;
    weir_time took = to > from ? to - from : 0;
    weir_trace_file_printf(&trace->file, ",\"dur\":%lld.%03lld", (long long)(took / 1000), (long long)(took % 1000));
    field(trace, "cat", category);
    field(trace, "name", name);
    weir_trace_file_end(&trace->file);
}

/* One end of the arrow from the step that spawned a task to its first one. */
static void arrow(struct weir_trace *trace, char end, uint64_t track, uint64_t id, weir_time time)
{
    if (!begin(trace, end, track, time))
        return;
    weir_trace_file_printf(&trace->file, ",\"id\":%llu,\"cat\":\"spawn\",\"name\":\"spawn\"%s", (unsigned long long)id,
                           end == 'f' ? ",\"bp\":\"e\"" : "");
    weir_trace_file_end(&trace->file);
}

static void name_track(struct weir_trace *trace, const char *what, uint64_t track, const char *name)
{
    if (!begin(trace, 'M', track, 0))
        return;
    field(trace, "name", what);
    weir_trace_file_printf(&trace->file, ",\"args\":{\"name\":");
    weir_trace_file_string(&trace->file, name);
    weir_trace_file_printf(&trace->file, "}");
    weir_trace_file_end(&trace->file);
}

/* A task comes or goes: with the name by which it was started, and where. */
static void moment(struct weir_trace *trace, const char *what, const struct track *track, const struct weir_site *site,
                   weir_time time)
{
    if (!begin(trace, 'i', track->id, time))
        return;
    field(trace, "name", what);
    weir_trace_file_printf(&trace->file, ",\"s\":\"t\",\"args\":{\"task\":");
    weir_trace_file_string(&trace->file, site->name);
    field(trace, "started in", site->function);
    field(trace, "file", site->file);
    weir_trace_file_printf(&trace->file, ",\"line\":%d}", site->line);
    weir_trace_file_end(&trace->file);
}

/* ---- hooks ---- */

static void name_loop(struct weir_trace *trace)
{
    char name[32];
    trace->named = true;
    trace->loop = weir_loop_number(weir_current_loop());
    snprintf(name, sizeof name, "weir loop %u", trace->loop);
    name_track(trace, "process_name", LOOP_TRACK, name);
    name_track(trace, "thread_name", LOOP_TRACK, "loop");
}

/* NULL: no memory for one more; then it is not shown. A task that was there before the trace is met here first. */
static struct track *track_of(struct weir_trace *trace, const struct weir_task *task)
{
    if (!trace->named)
        name_loop(trace);
    struct track *track = weir_table_find(&trace->tracks, task);
    if (track != NULL || (track = weir_table_add(&trace->tracks, task)) == NULL)
        return track;
    track->id = ++trace->ids;
    track->began = true;
    track->since = read_clock(trace);
    name_track(trace, "thread_name", track->id, weir_task_name(task));
    return track;
}

static void task_spawned(struct weir_instrument *instrument, struct weir_task *task)
{
    struct weir_trace *trace = trace_of(instrument);
    struct weir_task *parent = weir_current_task();
    struct track *track = track_of(trace, task);
    if (track == NULL)
        return;
    uint64_t id = track->id;
    track->began = false;
    moment(trace, "spawned", track, weir_task_site(task), track->since);
    if (parent != NULL && (track = track_of(trace, parent)) != NULL)
        arrow(trace, 's', track->id, id, read_clock(trace));
}

static void task_scheduled(struct weir_instrument *instrument, struct weir_task *task)
{
    struct weir_trace *trace = trace_of(instrument);
    struct track *track = track_of(trace, task);
    if (track == NULL)
        return;
    weir_time now = read_clock(trace);
    if (track->waits != NULL)
        slice(trace, track->id, "wait", track->waits, track->since, now);
    track->waits = NULL;
    track->since = now;
}

static void before_task_step(struct weir_instrument *instrument, struct weir_task *task)
{
    struct weir_trace *trace = trace_of(instrument);
    struct track *track = track_of(trace, task);
    if (track == NULL)
        return;
    weir_time now = read_clock(trace);
    slice(trace, track->id, "wait", "runnable", track->since, now);
    if (!track->began)
        arrow(trace, 'f', track->id, track->id, now);
    track->began = true;
    track->since = now;
}

static void task_exited(struct weir_instrument *instrument, struct weir_task *task)
{
    struct weir_trace *trace = trace_of(instrument);
    struct track *track = track_of(trace, task);
    if (track != NULL)
        track->exited = true;
}

static void after_task_step(struct weir_instrument *instrument, struct weir_task *task)
{
    struct weir_trace *trace = trace_of(instrument);
    struct track *track = track_of(trace, task);
    if (track == NULL)
        return;
    weir_time now = read_clock(trace);
    slice(trace, track->id, "step", weir_task_name(task), track->since, now);
    if (track->exited) {
        moment(trace, "exited", track, weir_task_site(task), now);
        weir_table_remove(&trace->tracks, track);
        return;
    }
    struct weir_task_status status;
    weir_task_get_status(task, &status);
    track->waits = status.wait != NULL ? status.wait->name : NULL;
    track->since = now;
}

static void before_io_wait(struct weir_instrument *instrument, weir_time timeout)
{
    struct weir_trace *trace = trace_of(instrument);
    if (timeout > 0)
        trace->io_since = read_clock(trace);
}

static void after_io_wait(struct weir_instrument *instrument, weir_time timeout)
{
    struct weir_trace *trace = trace_of(instrument);
    if (timeout > 0)
        slice(trace, LOOP_TRACK, "io", "waiting for I/O", trace->io_since, read_clock(trace));
}

static void after_run(struct weir_instrument *instrument)
{
    weir_trace_file_flush(&trace_of(instrument)->file);
}

/* ---- from outside ---- */

int weir_trace_open(struct weir_trace **opened, const char *path, const struct weir_trace_options *options)
{
    static const struct weir_trace_options defaults;
    if (options == NULL)
        options = &defaults;
    struct weir_trace *trace = calloc(1, sizeof *trace);
    if (trace == NULL)
        return -ENOMEM;
    int rc = weir_trace_file_open(&trace->file, path, (off_t)options->size_max);
    if (rc < 0) {
        free(trace);
        return rc;
    }
    trace->clock = options->clock != NULL ? options->clock : weir_clock_tsc();
    trace->tracks.entry_size = sizeof(struct track);
    trace->instrument = (struct weir_instrument){.after_run = after_run,
                                                 .task_spawned = task_spawned,
                                                 .task_scheduled = task_scheduled,
                                                 .before_task_step = before_task_step,
                                                 .after_task_step = after_task_step,
                                                 .task_exited = task_exited,
                                                 .before_io_wait = before_io_wait,
                                                 .after_io_wait = after_io_wait};
    *opened = trace;
    return 0;
}

struct weir_instrument *weir_trace_instrument(struct weir_trace *trace)
{
    return &trace->instrument;
}

int weir_trace_close(struct weir_trace *trace)
{
    for (struct track *track = NULL; (track = weir_table_next(&trace->tracks, track)) != NULL;)
        if (track->waits != NULL) /* it is there yet, but nobody looks any more */
            slice(trace, track->id, "wait", track->waits, track->since, trace->last);
    uint64_t dropped = trace->file.dropped;
    int rc = weir_trace_file_close(&trace->file);
    if (dropped > 0)
        weir_log(WEIR_LOG_WARNING, "the trace lacks its last %llu events: %s", (unsigned long long)dropped,
                 rc < 0 ? weir_error_text(rc) : "it is as large as it may be");
    weir_table_close(&trace->tracks);
    free(trace);
    return rc;
}
