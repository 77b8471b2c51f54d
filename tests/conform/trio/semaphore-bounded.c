#include "twin.h"

static void attempt(int rc)
{
    say("main: %s", refusal(rc));
}

static int main_task(void *arg)
{
    struct weir_semaphore semaphore;
    attempt(weir_semaphore_init(&semaphore, 3, 2));
    attempt(weir_semaphore_init(&semaphore, 2, 2));
    WEIR_TRY(weir_semaphore_init(&semaphore, 1, 2));
    say("main: %zu %zu", weir_semaphore_value(&semaphore), weir_semaphore_max_value(&semaphore));
    attempt(weir_semaphore_release(&semaphore));
    attempt(weir_semaphore_release(&semaphore));
    attempt(weir_semaphore_acquire_nowait(&semaphore));
    attempt(weir_semaphore_acquire_nowait(&semaphore));
    attempt(weir_semaphore_acquire_nowait(&semaphore));
    attempt(weir_semaphore_release(&semaphore));
    say("main: %zu", weir_semaphore_value(&semaphore));
    return 0;
}

TWIN(main_task)
