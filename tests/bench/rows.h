/* What the programs beside each other share, in C and in C++: rounds, rows by name, one JSON line. */
#ifndef WEIR_BENCH_ROWS_H
#define WEIR_BENCH_ROWS_H

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    OPERATIONS = 100000, /* of each kind in a round */
    SWITCHES = 200000,   /* among many tasks, and at the least two for each */
    BATCH = 64,          /* tasks in one nursery */
    BUFFERED = 128,      /* messages */
    ROUNDS_MAX = 1001,
    ROWS_MAX = 16,
};

/* One row: returns nanoseconds an operation. */
struct row {
    const char *name;
    double (*measure)(void);
};

/* Time of this process on its core: what else the machine does meanwhile does not count. */
static inline double now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* How often each of so many tasks takes its turn. */
static inline int turns_of(int tasks)
{
    return tasks < SWITCHES / 2 ? SWITCHES / tasks : 2;
}

static inline int wanted(const char *name, int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return 1;
    return argc <= 2;
}

/* PROGRAM [ROUNDS [ROW...]]: measures the rows in turn, round after round, and prints for each its name and one sample
 * a round. The first sample of each only warms up. */
static inline int measure_rows(int argc, char **argv, const struct row *rows, int count)
{
    static double samples[ROWS_MAX][ROUNDS_MAX];
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    const char *before = "{";

    if (rounds < 1 || rounds > ROUNDS_MAX)
        errx(2, "usage: %s [ROUNDS, 1 to %d [ROW...]]", argv[0], ROUNDS_MAX);
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < count; i++)
            for (int again = round == 0 ? 2 : 1; again > 0 && wanted(rows[i].name, argc, argv); again--)
                samples[i][round] = rows[i].measure();
    for (int i = 0; i < count; i++) {
        if (!wanted(rows[i].name, argc, argv))
            continue;
        printf("%s\"%s\": [", before, rows[i].name);
        for (int round = 0; round < rounds; round++)
            printf("%s%.2f", round == 0 ? "" : ", ", samples[i][round]);
        printf("]");
        before = ", ";
    }
    printf("}\n");
    return 0;
}

#endif
