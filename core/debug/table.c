/* Linear probing; what is removed leaves no mark: those behind it move up. (Knuth, TAOCP 3, 6.4, algorithm R) */
#include "table.h"
#include <stdlib.h>
#include <string.h>

enum { SIZE_MIN = 64 };

static char *at(const struct weir_table *table, size_t index)
{
    return table->entries + index * table->entry_size;
}

static const void *key_at(const struct weir_table *table, size_t index)
{
    return *(const void *const *)at(table, index);
}

/* Where a key's search begins. Addresses differ in their middle bits: Fibonacci hashing brings those to the top. */
static size_t home(const struct weir_table *table, const void *key)
{
    uint64_t hash = (uint64_t)(uintptr_t)key * 0x9E3779B97F4A7C15u;
    return (size_t)(hash >> 32) & (table->size - 1);
}

/* The key's place, or the empty one where it would be. */
static size_t place(const struct weir_table *table, const void *key)
{
    size_t index = home(table, key);
    while (key_at(table, index) != NULL && key_at(table, index) != key)
        index = (index + 1) & (table->size - 1);
    return index;
}

void *weir_table_find(const struct weir_table *table, const void *key)
{
    if (table->size == 0)
        return NULL;
    size_t index = place(table, key);
    return key_at(table, index) == key ? at(table, index) : NULL;
}

static bool grow(struct weir_table *table)
{
    struct weir_table larger = *table;
    larger.size = table->size == 0 ? SIZE_MIN : 2 * table->size;
    larger.entries = calloc(larger.size, table->entry_size);
    if (larger.entries == NULL)
        return false;
    for (size_t index = 0; index < table->size; index++)
        if (key_at(table, index) != NULL)
            memcpy(at(&larger, place(&larger, key_at(table, index))), at(table, index), table->entry_size);
    free(table->entries);
    *table = larger;
    return true;
}

void *weir_table_add(struct weir_table *table, const void *key)
{
    if (2 * (table->count + 1) > table->size && !grow(table))
        return NULL;
    char *entry = at(table, place(table, key));
    table->count++;
    memset(entry, 0, table->entry_size);
    *(const void **)entry = key;
    return entry;
}

void weir_table_remove(struct weir_table *table, void *entry)
{
    size_t mask = table->size - 1, hole = (size_t)((char *)entry - table->entries) / table->entry_size;
    for (size_t index = (hole + 1) & mask; key_at(table, index) != NULL; index = (index + 1) & mask) {
        size_t from_home = (index - home(table, key_at(table, index))) & mask, from_hole = (index - hole) & mask;
        if (from_home >= from_hole) {
            memcpy(at(table, hole), at(table, index), table->entry_size);
            hole = index;
        }
    }
    *(const void **)at(table, hole) = NULL;
    table->count--;
}

void *weir_table_next(const struct weir_table *table, const void *entry)
{
    size_t index = entry == NULL ? 0 : (size_t)((const char *)entry - table->entries) / table->entry_size + 1;
    while (index < table->size && key_at(table, index) == NULL)
        index++;
    return index < table->size ? at(table, index) : NULL;
}

void weir_table_close(struct weir_table *table)
{
    free(table->entries);
    table->entries = NULL;
    table->size = table->count = 0;
}
