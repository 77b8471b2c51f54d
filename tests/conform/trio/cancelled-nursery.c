#include "twin.h"

static int child(void *arg)
{
    say("child: runs");
    int rc = weir_checkpoint();
    say("child: %s", name(rc));
    return rc;
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_nursery_cancel(&nursery);
        weir_start_soon(&nursery, child, NULL);
        say("main: started");
    }
    say("main: done");
    say_to_nobody(); /* it is also reported there */
    if (weir_start_soon(&nursery, child, NULL) == -EBADF)
        say("main: closed");
    return rc;
}

TWIN(main_task)
