/* What is refused: acquiring twice, releasing what is not one's own. */
#include "twin.h"

static struct weir_lock lock;
static struct weir_strict_fifo_lock strict;

static void release(const char *who, bool strictly)
{
    int rc = strictly ? weir_strict_fifo_lock_release(&strict) : weir_lock_release(&lock);
    say("%s: %s", who, rc == 0 ? "released" : refusal(rc));
}

static int stranger(void *arg)
{
    release("stranger", arg != NULL);
    return 0;
}

static int misuse(bool strictly)
{
    struct weir_nursery nursery;
    int rc = 0;
    release("main", strictly);
    WEIR_TRY(strictly ? weir_strict_fifo_lock_acquire(&strict) : weir_lock_acquire(&lock));
    say("main: %s", refusal(strictly ? weir_strict_fifo_lock_acquire(&strict) : weir_lock_acquire(&lock)));
    say("main: %s",
        refusal(strictly ? weir_strict_fifo_lock_acquire_nowait(&strict) : weir_lock_acquire_nowait(&lock)));
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, stranger, strictly ? &strict : NULL);
    release("main", strictly);
    return rc;
}

static int main_task(void *arg)
{
    weir_lock_init(&lock);
    weir_strict_fifo_lock_init(&strict);
    WEIR_TRY(misuse(false));
    return misuse(true);
}

TWIN(main_task)
