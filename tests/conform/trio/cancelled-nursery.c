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
    if (freopen("/dev/null", "w", stderr) == NULL) /* it is also reported there */
        return -EIO;
    if (weir_start_soon(&nursery, child, NULL) == -EBADF)
        say("main: closed");
    return rc;
}

TWIN(main_task)
