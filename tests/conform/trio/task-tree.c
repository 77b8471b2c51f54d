#include "twin.h"
#include <string.h>

static unsigned nurseries_of(struct weir_task *task)
{
    unsigned count = 0;
    for (struct weir_nursery *at = NULL; (at = weir_task_next_nursery(task, at)) != NULL;)
        count++;
    return count;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *children(struct weir_nursery *nursery)
{
    static char text[4][128];
    static unsigned turn;
    const char *names[8];
    unsigned count = 0;
    char *out = text[turn++ % 4];
    for (struct weir_task *at = NULL; (at = weir_nursery_next_child(nursery, at)) != NULL;)
        names[count++] = weir_task_name(at);
    qsort(names, count, sizeof names[0], by_name);
    out[0] = '\0';
    for (unsigned i = 0; i < count; i++)
        strcat(strcat(out, i > 0 ? " " : ""), names[i]);
    return out;
}

static void look(const char *who)
{
    struct weir_task *task = weir_current_task();
    struct weir_task *parent = weir_nursery_parent_task(weir_task_parent_nursery(task));
    say("%s is %s in a nursery of %s with %u", who, weir_task_name(task), weir_task_name(parent), nurseries_of(task));
}

static int leaf(void *arg)
{
    look("leaf:");
    return weir_sleep_forever();
}

static int branch(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, leaf, NULL);
        weir_start_soon(&nursery, leaf, NULL);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        look("branch:");
        say("branch: has %s", children(&nursery));
        rc = weir_sleep_forever();
    }
    return rc;
}

static int starter(void *target)
{
    struct weir_task *task = weir_current_task();
    look("starter:");
    say("starter: %s %s", yes(weir_task_parent_nursery(task) == target),
        yes(weir_task_eventual_parent_nursery(task) == target));
    weir_started(NULL);
    say("starter: %s %s", yes(weir_task_parent_nursery(task) == target),
        weir_task_eventual_parent_nursery(task) == NULL ? "None" : "some");
    return weir_sleep_forever();
}

static int main_task(void *arg)
{
    struct weir_task *task = weir_current_task();
    struct weir_nursery outer, inner;
    int rc = 0;
    weir_with_nursery (&outer, rc) {
        weir_start_soon(&outer, branch, NULL);
        weir_with_nursery (&inner, rc) {
            bool both = weir_task_next_nursery(task, NULL) == &outer && weir_task_next_nursery(task, &outer) == &inner;
            say("main: %s %s / %s", yes(both), children(&outer), children(&inner));
            WEIR_DO(rc, weir_start(&inner, starter, &outer, NULL));
            WEIR_DO(rc, weir_start(&inner, starter, &inner, NULL));
            say("main: %s / %s", children(&outer), children(&inner));
            WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2)));
            struct weir_task *first = weir_nursery_next_child(&outer, NULL);
            struct weir_nursery *below = weir_task_next_nursery(first, NULL);
            say("main: %s has %s of %s", weir_task_name(first), children(below),
                weir_task_name(weir_nursery_parent_task(below)));
            weir_nursery_cancel(&inner);
        }
        bool one = weir_task_next_nursery(task, NULL) == &outer && weir_task_next_nursery(task, &outer) == NULL;
        say("main: %s %s", yes(one), yes(weir_nursery_child_count(&inner) == 0));
        weir_nursery_cancel(&outer);
    }
    say("main: %u", nurseries_of(task));
    return rc;
}

TWIN(main_task)
