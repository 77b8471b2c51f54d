#include "twin.h"

static int eio = -EIO, enoent = -ENOENT;

static int fail(void *arg)
{
    return *(int *)arg;
}

static int wait_forever(void *arg)
{
    return weir_sleep_forever();
}

static int middle(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, fail, &eio);
        weir_start_soon(&nursery, fail, &enoent);
    }
    return rc;
}

static int deep(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, middle, NULL);
        weir_start_soon(&nursery, fail, &enoent);
    }
    return rc;
}

static int catches(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, fail, &eio);
        weir_start_soon(&nursery, fail, &enoent);
    }
    say("caught");
    say_tree(&nursery);
    rc = 0;
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, fail, &eio);
    return rc;
}

struct child {
    int (*fn)(void *arg);
    void *arg;
};

static void gather(const struct child *children, int count)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < count; i++)
            weir_start_soon(&nursery, children[i].fn, children[i].arg);
    say("gathered");
    say_tree(&nursery);
}

static int main_task(void *arg)
{
    struct weir_nursery outer, inner;
    int rc = 0;
    gather((struct child[]){{middle, NULL}}, 1);
    gather((struct child[]){{deep, NULL}, {fail, &eio}, {middle, NULL}}, 3);
    gather((struct child[]){{catches, NULL}, {wait_forever, NULL}}, 2);
    weir_with_nursery (&outer, rc) {
        weir_start_soon(&outer, wait_forever, NULL);
        weir_with_nursery (&inner, rc)
            weir_start_soon(&inner, fail, &enoent);
    }
    say("nested");
    say_group(&outer); /* its block's own error is the inner one's group */
    say_group(&inner);
    return 0;
}

TWIN(main_task)
