/* malloc that fails when told to, for a program linked with -Wl,--wrap=malloc. */
#ifndef TEST_SUPPORT_NO_MEMORY_H
#define TEST_SUPPORT_NO_MEMORY_H

#include <stddef.h>

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static long mallocs_left = -1; /* until it fails; -1: it never does */

void *__wrap_malloc(size_t size)
{
    if (mallocs_left == 0)
        return NULL;
    if (mallocs_left > 0)
        mallocs_left--;
    return __real_malloc(size);
}

#endif
