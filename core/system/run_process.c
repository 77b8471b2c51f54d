/* A program run as a function is called: fed, listened to, waited for; and ended if that is cancelled. */
#include "system_private.h"
#include <stdlib.h>

enum { CAPTURE_MAX = 1 << 20, CAPTURE_STEP = 4096 };
static const weir_time PATIENCE = WEIR_SECONDS(5); /* as Trio */

struct running {
    struct weir_process process;
    struct weir_run_process_options options;
    struct weir_process_result *result;
};

/* ---- its pipes ---- */

/* One that does not want to hear all of it may. */
static int feed(void *arg)
{
    struct running *running = arg;
    struct weir_stream *input = running->process.input;
    running->process.input = NULL;
    int rc = weir_send_all(input, running->options.input, running->options.input_size);
    weir_stream_abort(input);
    return rc == -EPIPE ? 0 : rc;
}

/* A byte more than is wanted, for the 0 at the end, and to see that there is more. */
static int make_room(char **bytes, size_t size, size_t *room, size_t max)
{
    if (*room > size + 1)
        return 0;
    size_t wanted = *room != 0 ? 2 * *room : CAPTURE_STEP;
    if (wanted > max + 2)
        wanted = max + 2;
    char *more = realloc(*bytes, wanted);
    if (more == NULL)
        return -ENOMEM;
    *bytes = more;
    *room = wanted;
    return 0;
}

static int capture_from(struct weir_stream *stream, char **bytes, size_t *size, size_t max)
{
    size_t room = 0;
    for (;;) {
        WEIR_TRY(make_room(bytes, *size, &room, max));
        int got = weir_receive_some(stream, *bytes + *size, room - 1 - *size);
        *size += got > 0 ? (size_t)got : 0;
        if (*size > max)
            *size = max, got = -EMSGSIZE;
        (*bytes)[*size] = '\0';
        if (got <= 0)
            return got;
    }
}

static int capture(struct running *running, struct weir_stream **from, char **bytes, size_t *size)
{
    struct weir_stream *stream = *from;
    *from = NULL;
    int rc = capture_from(stream, bytes, size, running->options.capture_max);
    weir_stream_abort(stream);
    return rc;
}

static int capture_output(void *arg)
{
    struct running *running = arg;
    return capture(running, &running->process.output, &running->result->output, &running->result->output_size);
}

static int capture_errors(void *arg)
{
    struct running *running = arg;
    return capture(running, &running->process.errors, &running->result->errors, &running->result->errors_size);
}

static int start_helpers(struct running *running, struct weir_nursery *nursery)
{
    const struct weir_run_process_options *options = &running->options;
    if (options->input_size > 0)
        WEIR_TRY(weir_start_soon(nursery, feed, running));
    if (options->capture_output)
        WEIR_TRY(weir_start_soon(nursery, capture_output, running));
    if (options->capture_errors)
        WEIR_TRY(weir_start_soon(nursery, capture_errors, running));
    return 0;
}

/* ---- its end ---- */

static void end(struct running *running)
{
    struct weir_process *process = &running->process;
    struct weir_scope shield, limit;
    int rc = 0;
    weir_process_terminate(process);
    weir_with_shield (&shield, rc)
        weir_move_on_after (&limit, running->options.patience, rc)
            rc = weir_process_wait(process);
    if (!process->ended)
        weir_log(WEIR_LOG_WARNING, "process %d did not heed SIGTERM: SIGKILL", (int)process->pid);
}

/* If it has not ended after all, closing it kills it. */
static int wait_for_end(struct running *running)
{
    int rc = weir_process_wait(&running->process);
    if (!running->process.ended)
        end(running);
    return rc;
}

/* Whatever goes wrong in one of the tasks is what the call comes to. */
static int run(struct running *running)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        rc = start_helpers(running, &nursery);
        if (rc == 0 && running->options.reported)
            rc = weir_started(&running->process);
        if (rc == 0)
            rc = wait_for_end(running);
        else
            end(running);
    }
    weir_error_free(weir_nursery_take_errors(&nursery));
    return rc;
}

/* ---- options ---- */

/* A pipe is ours, or else of somebody who can get at it. */
static int check(enum weir_stdio kind, bool ours, bool reported)
{
    if (ours)
        return kind == WEIR_STDIO_DEFAULT ? 0 : -EINVAL;
    return kind != WEIR_STDIO_PIPE || reported ? 0 : -EINVAL;
}

static int settle(struct weir_run_process_options *options, bool result_wanted)
{
    struct weir_process_options *process = &options->process;
    WEIR_TRY(check(process->input, options->input_size > 0, options->reported));
    WEIR_TRY(check(process->output, options->capture_output, options->reported));
    WEIR_TRY(check(process->errors, options->capture_errors, options->reported));
    if ((options->capture_output || options->capture_errors) && !result_wanted)
        return -EINVAL;
    if (process->input == WEIR_STDIO_DEFAULT)
        process->input = options->input_size > 0 ? WEIR_STDIO_PIPE : WEIR_STDIO_NULL;
    if (options->capture_output)
        process->output = WEIR_STDIO_PIPE;
    if (options->capture_errors)
        process->errors = WEIR_STDIO_PIPE;
    if (options->patience == 0)
        options->patience = PATIENCE;
    if (options->capture_max == 0)
        options->capture_max = CAPTURE_MAX;
    if (options->capture_max > SIZE_MAX / 2) /* or sums run over */
        options->capture_max = SIZE_MAX / 2;
    return 0;
}

int weir_run_process(char *const *argv, const struct weir_run_process_options *options,
                     struct weir_process_result *result)
{
    struct running running = {.result = result};
    struct weir_process *process = &running.process;
    if (options != NULL)
        running.options = *options;
    if (result != NULL)
        *result = (struct weir_process_result){.status = -1};
    WEIR_TRY(settle(&running.options, result != NULL));
    WEIR_TRY(weir_open_process(process, argv, &running.options.process));
    int rc = run(&running);
    weir_process_let_go(process);
    if (result != NULL) {
        result->status = process->status;
        result->signal = process->signal;
    }
    if (rc == 0 && process->status != 0 && !running.options.unchecked)
        rc = -EREMOTEIO;
    return rc;
}

void weir_process_result_free(struct weir_process_result *result)
{
    free(result->output);
    free(result->errors);
    result->output = result->errors = NULL;
}
