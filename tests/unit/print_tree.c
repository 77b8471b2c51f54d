/* core/task: the nursery tree as it is printed. */
#include "../support/core.h"
#include <stdlib.h>

static char picture[65536];

/* Keeps the tree, with FILE where a file and line stood. */
static void take_picture(void)
{
    char *text, *to = picture;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    weir_print_tree(out);
    fclose(out);
    for (const char *at = text; *at != '\0';) {
        size_t word = strcspn(at, " \n"), path = strcspn(at, " :\n");
        bool is_place = path > 2 && at[path] == ':' && strncmp(at + path - 2, ".c", 2) == 0;
        if (is_place) {
            to = stpcpy(to, "FILE");
            at += path + 1;
            at += strspn(at, "0123456789");
        } else {
            memcpy(to, at, word);
            to += word;
            at += word;
        }
        if (*at == ' ' || *at == '\n')
            *to++ = *at++;
    }
    *to = '\0';
    free(text);
}

static int wait_on(void *arg)
{
    return weir_event_wait(arg);
}

static int sleep_in_scopes(void *arg)
{
    struct weir_scope outer, plain, inner;
    int rc = 0;
    weir_move_on_after (&outer, WEIR_SECONDS(30), rc) {
        weir_with_scope (&plain, rc) {
            weir_fail_after (&inner, WEIR_MILLISECONDS(5000.5), rc)
                rc = weir_sleep(WEIR_SECONDS(100));
        }
    }
    return rc;
}

static int two_nurseries(void *arg)
{
    struct weir_nursery outer, inner;
    int rc = 0;
    weir_with_nursery (&outer, rc) {
        weir_start_soon(&outer, wait_on, arg);
        weir_start_soon(&outer, wait_on, arg);
        weir_with_nursery (&inner, rc) {
            weir_start_soon(&inner, sleep_in_scopes, NULL);
            rc = weir_event_wait(arg);
        }
    }
    return rc;
}

static int hold(void *arg)
{
    WEIR_TRY(weir_lock_acquire(arg));
    int rc = weir_sleep_forever();
    weir_lock_release(arg);
    return rc;
}

static int want(void *arg)
{
    WEIR_TRY(weir_lock_acquire(arg));
    weir_lock_release(arg);
    return 0;
}

static int late(void *arg)
{
    return 0;
}

TASK_TEST(print_tree, shows_tasks_nurseries_scopes_and_waits)
{
    struct weir_nursery nursery;
    struct weir_event event;
    struct weir_lock lock;
    int rc = 0;
    weir_event_init(&event);
    weir_lock_init(&lock);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, two_nurseries, &event);
        weir_start_soon(&nursery, hold, &lock);
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(2)));
        weir_start_soon(&nursery, want, &lock);
        WEIR_DO(rc, weir_sleep(WEIR_MILLISECONDS(1.5)));
        weir_start_soon(&nursery, late, NULL);
        take_picture();
        weir_nursery_cancel(&nursery);
    }
    cr_expect_str_eq(picture,
                     "main: runs; started in weir_run, FILE\n"
                     "└─ nursery in print_tree_shows_tasks_nurseries_scopes_and_waits_body, FILE\n"
                     "   ├─ two_nurseries: weir_event_wait for 2.0015 s; started in "
                     "print_tree_shows_tasks_nurseries_scopes_and_waits_body, FILE\n"
                     "   │  └─ nursery in two_nurseries, FILE\n"
                     "   │     ├─ wait_on: weir_event_wait for 2.0015 s; started in two_nurseries, FILE\n"
                     "   │     ├─ wait_on: weir_event_wait for 2.0015 s; started in two_nurseries, FILE\n"
                     "   │     └─ nursery in two_nurseries, FILE\n"
                     "   │        └─ sleep_in_scopes: weir_sleep for 2.0015 s; started in two_nurseries, FILE\n"
                     "   │           └─ weir_move_on_after in sleep_in_scopes, FILE: 27.9985 s left\n"
                     "   │              └─ weir_fail_after in sleep_in_scopes, FILE: 2.999 s left\n"
                     "   ├─ hold: weir_sleep_forever for 2.0015 s; started in "
                     "print_tree_shows_tasks_nurseries_scopes_and_waits_body, FILE\n"
                     "   ├─ want: weir_lock_acquire for 1.5 ms (held by hold); started in "
                     "print_tree_shows_tasks_nurseries_scopes_and_waits_body, FILE\n"
                     "   └─ late: is about to run; started in "
                     "print_tree_shows_tasks_nurseries_scopes_and_waits_body, FILE\n");
    return rc;
}

static int wait_shielded(void *arg)
{
    struct weir_scope shield;
    int rc = 0;
    weir_with_scope (&shield, rc) {
        weir_scope_set_shield(&shield, WEIR_SHIELD_FULL);
        rc = weir_event_wait(arg);
    }
    return rc;
}

TASK_TEST(print_tree, shows_what_is_cancelled_and_why_and_what_is_shielded)
{
    struct weir_nursery nursery;
    struct weir_event event;
    int rc = 0;
    weir_event_init(&event);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, wait_shielded, &event);
        WEIR_DO(rc, weir_sleep(1));
        weir_scope_cancel_because(&nursery.scope, "enough");
        take_picture();
        weir_event_set(&event);
    }
    cr_expect_str_eq(
        picture, "main: runs; cancelled; started in weir_run, FILE\n"
                 "└─ nursery in print_tree_shows_what_is_cancelled_and_why_and_what_is_shielded_body, FILE: cancelled: "
                 "enough (by main; weir_scope_cancel_because in "
                 "print_tree_shows_what_is_cancelled_and_why_and_what_is_shielded_body, FILE)\n"
                 "   └─ wait_shielded: weir_event_wait for 1 ns; started in "
                 "print_tree_shows_what_is_cancelled_and_why_and_what_is_shielded_body, FILE\n"
                 "      └─ weir_with_scope in wait_shielded, FILE; shielded\n");
    return rc;
}

static int report_late(void *arg)
{
    WEIR_TRY(weir_event_wait(arg));
    weir_started(NULL);
    return 0;
}

static int picture_and_set(void *arg)
{
    take_picture();
    weir_event_set(arg);
    return 0;
}

TASK_TEST(print_tree, shows_system_tasks_and_who_is_being_started)
{
    struct weir_nursery nursery;
    struct weir_event event;
    int rc = weir_spawn_system_task(sleep_forever, NULL);
    weir_event_init(&event);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, picture_and_set, &event);
        rc = weir_start(&nursery, report_late, &event, NULL);
    }
    cr_expect_not_null(strstr(picture, "   ├─ picture_and_set: runs; started in "), "%s", picture);
    cr_expect_not_null(strstr(picture, "system tasks\n└─ sleep_forever: weir_sleep_forever for 0 ns; started in "));
    cr_expect_not_null(strstr(picture, "   └─ weir_start of report_late in "), "%s", picture);
    cr_expect_not_null(strstr(picture, "      └─ report_late: is about to run; started in "));
    return rc;
}

static int nest(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0, left = *(int *)arg - 1;
    if (left < 0) {
        take_picture();
        return 0;
    }
    weir_with_nursery (&nursery, rc)
        weir_start_soon(&nursery, nest, &left);
    return rc;
}

TASK_TEST(print_tree, stops_at_some_depth)
{
    int levels = 100;
    cr_expect_eq(nest(&levels), 0);
    cr_expect_not_null(strstr(picture, "└─ ...\n"));
    return 0;
}

Test(print_tree, prints_nothing_where_no_loop_runs)
{
    take_picture();
    cr_expect_str_eq(picture, "");
}
