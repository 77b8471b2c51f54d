/* The stack's counters by their names. */
#include <criterion/criterion.h>
#include <string.h>
#include <weir/net/stack.h>

static unsigned rows_with_a_value(const struct weir_stack_stats *stats)
{
    struct weir_counter counter;
    unsigned found = 0;

    for (unsigned i = 0; weir_stack_counter(stats, i, &counter); i++)
        found += counter.value != 0;
    return found;
}

Test(counters, each_field_has_one_name)
{
    uint32_t words[sizeof(struct weir_stack_stats) / sizeof(uint32_t)];
    struct weir_stack_stats stats;

    for (size_t i = 0; i < RTE_DIM(words); i++) {
        memset(words, 0, sizeof(words));
        words[i] = 1;
        memcpy(&stats, words, sizeof(stats));
        cr_assert_eq(rows_with_a_value(&stats), 1, "word %zu of %zu", i, RTE_DIM(words));
    }
}

Test(counters, no_name_is_said_twice_and_groups_stay_together)
{
    struct weir_stack_stats stats = {0};
    struct weir_counter a, b;

    for (unsigned i = 0; weir_stack_counter(&stats, i, &a); i++) {
        bool apart = false;

        for (unsigned j = i + 1; weir_stack_counter(&stats, j, &b); j++) {
            bool same = strcmp(a.group, b.group) == 0;

            cr_assert(!same || strcmp(a.name, b.name) != 0, "%s%s", a.group, a.name);
            cr_assert(!same || !apart, "%s%s", b.group, b.name);
            apart = !same;
        }
    }
}

static uint64_t value_of(const struct weir_stack_stats *stats, const char *name)
{
    struct weir_counter counter;
    char whole[64];

    for (unsigned i = 0; weir_stack_counter(stats, i, &counter); i++) {
        snprintf(whole, sizeof(whole), "%s%s", counter.group, counter.name);
        if (strcmp(whole, name) == 0)
            return counter.value;
    }
    cr_assert_fail("there is no %s", name);
    return 0;
}

Test(counters, names_are_those_of_the_mibs)
{
    struct weir_stack_stats stats = {.tcp = {.active_opens = 1, .curr_estab = 2, .paws_dropped = 3},
                                     .ip = {.in_receives = 4, .icmp_out_echo_reps = 5},
                                     .udp.no_ports = UINT64_MAX};

    cr_assert_eq(value_of(&stats, "TcpActiveOpens"), 1);
    cr_assert_eq(value_of(&stats, "TcpCurrEstab"), 2);
    cr_assert_eq(value_of(&stats, "TcpExtPAWSEstab"), 3);
    cr_assert_eq(value_of(&stats, "IpInReceives"), 4);
    cr_assert_eq(value_of(&stats, "IcmpOutEchoReps"), 5);
    cr_assert_eq(value_of(&stats, "UdpNoPorts"), UINT64_MAX);
}
