#include "twin.h"

struct child {
    int code, checkpoints;
    bool sleeps;
};

static int fail(void *arg)
{
    struct child *child = arg;
    for (int i = 0; i < child->checkpoints; i++)
        weir_cancel_shielded_checkpoint();
    int rc = child->sleeps ? weir_sleep_forever() : 0;
    return child->code < 0 ? child->code : rc;
}

static int gather(const char *title, struct child *children, int count)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        for (int i = 0; i < count; i++)
            weir_start_soon(&nursery, fail, &children[i]);
        say("%s started", title);
    }
    if (rc < 0) {
        say("%s %s", title, name(rc));
        say_group(&nursery);
    }
    return rc == -ECANCELED ? rc : 0;
}

static int main_task(void *arg)
{
    WEIR_TRY(gather("at once", (struct child[]){{.code = -EIO}, {.code = -ENOENT}, {.code = -EIO}}, 3));
    struct child later[] = {{-EIO, 3, false}, {-ENOENT, 1, false}, {-EIO, 1, false}, {.sleeps = true}};
    WEIR_TRY(gather("later", later, 4));
    WEIR_TRY(gather("chain", (struct child[]){{.code = -ENOENT, .sleeps = true}, {.code = -EIO}}, 2));
    return gather("none", (struct child[]){{.checkpoints = 1}, {.checkpoints = 2}}, 2);
}

TWIN(main_task)
