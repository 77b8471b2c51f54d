/* The tutorial's broken_double_sleep: the call that should have been awaited is not checked, so this must not compile.
 * With -DREPAIRED it does. */
#include <weir/task.h>

int broken_double_sleep(void *arg);

int broken_double_sleep(void *arg)
{
    double x = *(double *)arg;
#ifdef REPAIRED
    WEIR_TRY(weir_sleep(WEIR_SECONDS(2 * x)));
#else
    weir_sleep(WEIR_SECONDS(2 * x)); /* whoops, we forgot to look */
#endif
    return 0;
}
