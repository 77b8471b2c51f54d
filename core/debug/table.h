/* A hash table whose keys are addresses; open addressing, in one piece of memory. Private to this room. */
#ifndef WEIR_DEBUG_TABLE_H
#define WEIR_DEBUG_TABLE_H

#include <weir/base.h>

struct weir_table {
    size_t entry_size; /* of the user's struct, which begins with `const void *key`; NULL: nothing is there */
    size_t size, count;
    char *entries;
};

/* Entries move when others come and go: what these return is good until the next call that changes the table. */
void *weir_table_find(const struct weir_table *table, const void *key); /* NULL: is not there */
void *weir_table_add(struct weir_table *table, const void *key);        /* all zero but the key; NULL: no memory */
void weir_table_remove(struct weir_table *table, void *entry);
void *weir_table_next(const struct weir_table *table, const void *entry); /* in no order; NULL: the first, the end */
void weir_table_close(struct weir_table *table);

#endif
