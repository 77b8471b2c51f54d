#include "asyncio_twin.h"

static int main_task(void *arg)
{
    struct step a = {"A", 2, 1}, b = {"B", 1, 2}, c = {"C", 3, 3};
    struct weir_call calls[] = {WEIR_CALL(do_step, &a), WEIR_CALL(do_step, &b), WEIR_CALL(do_step, &c)};
    WEIR_TRY(weir_gather(calls, 3, WEIR_FAIL_FAST, NULL));
    say("main: %d %d %d %.1f", calls[0].result, calls[1].result, calls[2].result, now());
    say("main: %d", weir_gather(NULL, 0, WEIR_FAIL_FAST, NULL));
    return 0;
}

TWIN(main_task)
