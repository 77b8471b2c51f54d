/* The table of samples: one row for each place where tasks are started. */
#include "samples.h"
#include <stdlib.h>

enum { SITES_MAX = 1024 };

struct row {
    const void *site;
    uint64_t count;
};

void weir_samples_open(struct weir_samples *samples)
{
    *samples = (struct weir_samples){.sites.entry_size = sizeof(struct row)};
}

void weir_samples_close(struct weir_samples *samples)
{
    weir_table_close(&samples->sites);
}

void weir_samples_add(struct weir_samples *samples, const struct weir_glance *glance)
{
    struct row *row = NULL;
    if (glance->site != NULL) {
        row = weir_table_find(&samples->sites, glance->site);
        if (row == NULL && samples->sites.count < SITES_MAX)
            row = weir_table_add(&samples->sites, glance->site);
    }
    if (row != NULL)
        row->count++;
    else if (glance->task != NULL)
        samples->elsewhere++;
    else if (glance->asleep)
        samples->asleep++;
    else
        samples->loop++;
}

static int most_first(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    return left->count < right->count ? 1 : left->count > right->count ? -1 : 0;
}

static void print_row(FILE *out, uint64_t count, uint64_t total, const char *what, const struct weir_site *site)
{
    if (count == 0)
        return;
    fprintf(out, "%9llu  %5.1f %%  %s", (unsigned long long)count, 100.0 * (double)count / (double)total, what);
    if (site != NULL)
        fprintf(out, "  (started in %s, %s:%d)", site->function, site->file, site->line);
    fputc('\n', out);
}

void weir_samples_print(const struct weir_samples *samples, FILE *out)
{
    struct row *rows = calloc(samples->sites.count + 1, sizeof *rows);
    uint64_t total = samples->asleep + samples->loop + samples->elsewhere;
    size_t count = 0;
    if (rows == NULL)
        return;
    for (const struct row *row = NULL; (row = weir_table_next(&samples->sites, row)) != NULL;) {
        rows[count++] = *row;
        total += row->count;
    }
    qsort(rows, count, sizeof *rows, most_first);
    fprintf(out, "%9s  %7s  task\n", "samples", "share");
    for (size_t i = 0; i < count; i++) {
        const struct weir_site *site = rows[i].site;
        print_row(out, rows[i].count, total, site->name, site);
    }
    print_row(out, samples->elsewhere, total, "[other tasks]", NULL);
    print_row(out, samples->loop, total, "[the loop itself]", NULL);
    print_row(out, samples->asleep, total, "[nothing to do]", NULL);
    free(rows);
}
