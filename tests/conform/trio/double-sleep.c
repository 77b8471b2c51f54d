/* The tutorial's double_sleep(3), and the talk's double(3). */
#include "twin.h"

static int twice(int x)
{
    return x * 2;
}

static int double_sleep(void *arg)
{
    WEIR_TRY(weir_sleep(WEIR_SECONDS(2 * 3)));
    say("now %.1f", now());
    say("double %d", twice(3));
    return 0;
}

TWIN(double_sleep)
