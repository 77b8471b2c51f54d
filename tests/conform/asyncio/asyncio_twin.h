/* A program that has a twin under asyncio: as twin.h, with asyncio's names. */
#ifndef TEST_CONFORM_ASYNCIO_TWIN_H
#define TEST_CONFORM_ASYNCIO_TWIN_H

#include "twin.h"

/* A result or an error, as its twin prints it. */
__attribute__((unused)) static const char *outcome(int rc)
{
    static char texts[8][32];
    static unsigned next;
    char *text = texts[next++ % 8];
    switch (rc) {
    case -ECANCELED:
    case -EOWNERDEAD:
        return "CancelledError";
    case -ETIMEDOUT:
        return "TimeoutError";
    case -EINPROGRESS:
        return "pending";
    default:
        snprintf(text, 32, "%d", rc);
        return rc < 0 ? weir_error_name(rc) : text;
    }
}

__attribute__((unused)) static const char *handle_outcome(struct weir_handle *handle)
{
    return outcome(weir_handle_result(handle));
}

/* A task that prints when it begins and ends, as those of the notes do. */
struct step {
    const char *name;
    double seconds;
    int result;
};

__attribute__((unused)) static int do_step(void *arg)
{
    const struct step *step = arg;
    say("%s: started", step->name);
    int rc = weir_sleep(WEIR_SECONDS(step->seconds));
    if (rc < 0) {
        say("%s: %s %.1f", step->name, outcome(rc), now());
        return rc;
    }
    say("%s: finished %.1f", step->name, now());
    return step->result;
}

#endif
