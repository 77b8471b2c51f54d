/* The tracer of Trio's tutorial ("Task switching illustrated"), word for word. */
#include <weir/debug.h>

static const weir_time LONGEST_WAIT = 24 * 3600 * (weir_time)1000000000; /* as Trio calls it */

static struct weir_tracer *tracer_of(struct weir_instrument *instrument)
{
    return WEIR_CONTAINER_OF(instrument, struct weir_tracer, instrument);
}

static void print_with_task(struct weir_instrument *instrument, const char *message, const struct weir_task *task)
{
    fprintf(tracer_of(instrument)->out, "%s: %s\n", message, weir_task_name(task));
}

static void before_run(struct weir_instrument *instrument)
{
    fputs("!!! run started\n", tracer_of(instrument)->out);
}

static void task_spawned(struct weir_instrument *instrument, struct weir_task *task)
{
    print_with_task(instrument, "### new task spawned", task);
}

static void task_scheduled(struct weir_instrument *instrument, struct weir_task *task)
{
    print_with_task(instrument, "### task scheduled", task);
}

static void before_task_step(struct weir_instrument *instrument, struct weir_task *task)
{
    print_with_task(instrument, ">>> about to run one step of task", task);
}

static void after_task_step(struct weir_instrument *instrument, struct weir_task *task)
{
    print_with_task(instrument, "<<< task step finished", task);
}

static void task_exited(struct weir_instrument *instrument, struct weir_task *task)
{
    print_with_task(instrument, "### task exited", task);
}

static void before_io_wait(struct weir_instrument *instrument, weir_time timeout)
{
    struct weir_tracer *tracer = tracer_of(instrument);
    if (timeout > LONGEST_WAIT)
        timeout = LONGEST_WAIT;
    if (timeout > 0)
        fprintf(tracer->out, "### waiting for I/O for up to %.9g seconds\n", (double)timeout / 1e9);
    else
        fputs("### doing a quick check for I/O\n", tracer->out);
    tracer->since = weir_current_time();
}

static void after_io_wait(struct weir_instrument *instrument, weir_time timeout)
{
    struct weir_tracer *tracer = tracer_of(instrument);
    double took = (double)(weir_current_time() - tracer->since) / 1e9;
    fprintf(tracer->out, "### finished I/O check (took %.9g seconds)\n", took);
}

static void after_run(struct weir_instrument *instrument)
{
    fputs("!!! run finished\n", tracer_of(instrument)->out);
}

void weir_tracer_init(struct weir_tracer *tracer, FILE *out)
{
    *tracer = (struct weir_tracer){
        .instrument = {.before_run = before_run,
                       .after_run = after_run,
                       .task_spawned = task_spawned,
                       .task_scheduled = task_scheduled,
                       .before_task_step = before_task_step,
                       .after_task_step = after_task_step,
                       .task_exited = task_exited,
                       .before_io_wait = before_io_wait,
                       .after_io_wait = after_io_wait},
        .out = out,
    };
}
