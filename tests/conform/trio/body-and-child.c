#include "twin.h"
#include <string.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What the block returned, and what its children did. */
static void say_sorted(struct weir_nursery *nursery, int body)
{
    const char *names[8];
    size_t count = 0;
    struct weir_error *group = weir_nursery_take_errors(nursery);
    if (body < 0)
        names[count++] = name(body);
    for (struct weir_error *error = group; error != NULL; error = error->next)
        names[count++] = name(error->code);
    weir_error_free(group);
    qsort(names, count, sizeof names[0], by_name);
    for (size_t i = 0; i < count; i++)
        printf("%s%s", i == 0 ? "" : " ", names[i]);
    say("%s", "");
}

static int fail_at(double seconds, int code)
{
    int rc = weir_sleep(WEIR_SECONDS(seconds)); /* in time, or cancelled */
    return rc == 0 || rc == -ECANCELED ? code : rc;
}

static int enoent_at(void *arg)
{
    return fail_at(*(double *)arg, -ENOENT);
}

static int wait_forever(void *arg)
{
    return weir_sleep_forever();
}

static void one_after_other(double child, double body)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, enoent_at, &child);
        rc = fail_at(body, -EIO);
    }
    say_sorted(&nursery, rc);
}

static int main_task(void *arg)
{
    struct weir_nursery nursery;
    struct weir_scope scope;
    double one = 1, five = 5;
    int rc = 0;
    one_after_other(1, 5);
    one_after_other(5, 1);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_forever, NULL);
        weir_fail_after (&scope, WEIR_SECONDS(1), rc)
            rc = weir_sleep_forever();
    }
    say_sorted(&nursery, rc);
    rc = 0;
    weir_fail_after (&scope, WEIR_SECONDS(1), rc) {
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, enoent_at, &five);
            rc = weir_sleep_forever();
        }
    }
    say_sorted(&nursery, 0);
    say("%s %s", caught(&scope), caught(&nursery.scope));
    rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, enoent_at, &one);
        if (weir_sleep_forever() == -ECANCELED)
            say("swallowed");
    }
    say_sorted(&nursery, 0);
    return 0;
}

TWIN(main_task)
