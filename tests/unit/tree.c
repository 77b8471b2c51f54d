/* core/task: looking at the tree of tasks and nurseries, and at what a task does. */
#include "../support/core.h"

static int with_a_child(void *arg)
{
    struct weir_nursery nursery;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, sleep_forever, NULL);
        rc = weir_sleep_forever();
    }
    return rc;
}

TASK_TEST(tree, at_the_top_stands_the_runs_own_nursery)
{
    struct weir_task *self = weir_current_task();
    struct weir_nursery *top = weir_task_parent_nursery(self);
    cr_expect_eq(weir_root_task(), self);
    cr_expect_eq(weir_nursery_parent_task(top), NULL);
    cr_expect_eq(weir_nursery_next_child(top, NULL), self);
    cr_expect_eq(weir_nursery_next_child(top, self), NULL);
    cr_expect_eq(weir_task_next_nursery(self, NULL), NULL);
    cr_expect_str_eq(weir_task_site(self)->name, weir_task_name(self));
    return 0;
}

TASK_TEST(tree, children_and_nurseries_are_found_in_the_order_in_which_they_came)
{
    struct weir_nursery outer, inner;
    struct weir_task *self = weir_current_task(), *child;
    int rc = 0;
    weir_with_nursery (&outer, rc) {
        weir_start_soon(&outer, sleep_forever, NULL);
        weir_with_nursery (&inner, rc) {
            weir_start_soon(&inner, return_at_once, NULL);
            weir_start_soon(&inner, sleep_forever, NULL);
            cr_expect_eq(weir_task_next_nursery(self, NULL), &outer);
            cr_expect_eq(weir_task_next_nursery(self, &outer), &inner);
            cr_expect_eq(weir_task_next_nursery(self, &inner), NULL);
            child = weir_nursery_next_child(&inner, NULL);
            cr_expect_str_eq(weir_task_name(child), "return_at_once");
            child = weir_nursery_next_child(&inner, child);
            cr_expect_str_eq(weir_task_name(child), "sleep_forever");
            cr_expect_eq(weir_nursery_next_child(&inner, child), NULL);
            cr_expect_eq(weir_task_parent_nursery(child), &inner);
            cr_expect_eq(weir_nursery_parent_task(&inner), self);
            weir_nursery_cancel(&inner);
        }
        cr_expect_eq(weir_task_next_nursery(self, &outer), NULL, "it is closed");
        weir_nursery_cancel(&outer);
    }
    return rc;
}

static void note_all(void)
{
    for (struct weir_task *task = NULL; (task = weir_next_task(task)) != NULL;)
        note("%s", weir_task_name(task));
}

TASK_TEST(tree, all_tasks_are_walked_parents_first)
{
    struct weir_nursery outer, empty, inner;
    int rc = 0;
    weir_with_nursery (&outer, rc) {
        weir_start_soon(&outer, with_a_child, NULL);
        weir_start_soon(&outer, return_at_once, NULL);
        weir_with_nursery (&empty, rc) {
            weir_with_nursery (&inner, rc) {
                weir_start_soon(&inner, sleep_for, &(double){60});
                note_all();
                rc = weir_sleep(1);
                note(":");
                note_all();
                weir_nursery_cancel(&inner);
            }
        }
        weir_nursery_cancel(&outer);
    }
    cr_expect_str_eq(notes, "main with_a_child return_at_once sleep_for : main with_a_child sleep_forever sleep_for");
    return rc;
}

static int look_then_report(void *arg)
{
    struct weir_nursery *target = arg;
    struct weir_task *self = weir_current_task();
    struct weir_nursery *nursery = weir_task_parent_nursery(self);
    cr_expect_neq(nursery, target);
    cr_expect_eq(weir_nursery_parent_task(nursery), weir_root_task());
    cr_expect_eq(weir_task_next_nursery(weir_root_task(), target), nursery);
    cr_expect_eq(weir_task_eventual_parent_nursery(self), target);
    weir_started(NULL);
    cr_expect_eq(weir_task_parent_nursery(self), target);
    cr_expect_eq(weir_task_eventual_parent_nursery(self), NULL);
    return 0;
}

TASK_TEST(tree, what_weir_start_started_moves_when_it_reports)
{
    struct weir_nursery nursery;
    int rc = 0;
    cr_expect_eq(weir_task_eventual_parent_nursery(weir_current_task()), NULL);
    weir_with_nursery (&nursery, rc)
        rc = weir_start(&nursery, look_then_report, &nursery, NULL);
    return rc;
}

TASK_TEST(tree, a_status_says_what_a_task_waits_in_since_when_and_till_when)
{
    struct weir_task_status status;
    struct weir_nursery nursery;
    int rc = weir_sleep(WEIR_SECONDS(1));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, sleep_forever, NULL);
        struct weir_task *child = weir_nursery_next_child(&nursery, NULL);
        weir_task_get_status(child, &status);
        cr_expect_eq(status.wait, NULL);
        cr_expect_eq(status.since, WEIR_SECONDS(1), "it does not wait");
        WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
        weir_scope_set_deadline(&nursery.scope, WEIR_SECONDS(60));
        weir_task_get_status(child, &status);
        cr_expect_str_eq(status.wait->name, "weir_sleep_forever");
        cr_expect_eq(status.since, WEIR_SECONDS(1));
        cr_expect_eq(status.deadline, WEIR_SECONDS(60));
        cr_expect_not(status.cancelled);
        weir_nursery_cancel(&nursery);
        weir_task_get_status(child, &status);
        cr_expect_eq(status.wait, NULL, "it was woken");
        cr_expect_eq(status.deadline, INT64_MIN);
        cr_expect(status.cancelled);
    }
    return rc;
}

static struct weir_task *seen = (struct weir_task *)1;

static void look(struct weir_alarm *alarm)
{
    seen = weir_root_task();
    cr_expect_eq(weir_current_task(), NULL);
}

TASK_TEST(tree, an_alarm_sees_the_main_task_and_no_current_one)
{
    struct weir_alarm alarm;
    weir_alarm_init(&alarm, look);
    weir_alarm_set(&alarm, WEIR_SECONDS(1));
    int rc = weir_sleep(WEIR_SECONDS(2));
    cr_expect_eq(seen, weir_current_task());
    return rc;
}
