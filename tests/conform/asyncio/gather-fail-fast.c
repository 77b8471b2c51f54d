#include "asyncio_twin.h"

static int bare(void)
{
    struct step a = {"A", 1, 1}, b = {"B", 2, -EIO};
    struct weir_call calls[] = {WEIR_CALL(do_step, &a), WEIR_CALL(do_step, &b)};
    struct weir_error *errors;
    int rc = weir_gather(calls, 2, WEIR_FAIL_FAST, &errors);
    say("bare: %s %.1f %s %s", name(rc), now(), outcome(calls[0].result), outcome(calls[1].result));
    weir_error_free(errors);
    return 0;
}

static int group(void)
{
    struct step c = {"C", 1, 3}, d = {"D", 2, -ENOENT}, e = {"E", 3, 5}, f = {"F", 4, -EIO};
    struct weir_call calls[] = {WEIR_CALL(do_step, &c), WEIR_CALL(do_step, &d), WEIR_CALL(do_step, &e),
                                WEIR_CALL(do_step, &f)};
    struct weir_error *errors;
    int rc = weir_gather(calls, 4, WEIR_FAIL_FAST, &errors), count = 0;
    for (struct weir_error *error = errors; error != NULL; error = error->next)
        count++;
    say("group: %s %d %.1f %s %s %s %s", name(rc), count, now(), outcome(calls[0].result), outcome(calls[1].result),
        outcome(calls[2].result), outcome(calls[3].result));
    weir_error_free(errors);
    return 0;
}

static int main_task(void *arg)
{
    WEIR_TRY(bare());
    return group();
}

TWIN(main_task)
