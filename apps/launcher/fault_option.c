/* --fault: what a bad wire shall do. */
#include "fault_option.h"
#include "value.h"
#include <limits.h>
#include <stdlib.h>

enum key { LOSS, DUPLICATE, REORDER, CORRUPT, REORDER_BY, DELAY, JITTER, RATE, QUEUE, SEED, KEYS };

static char *const names[KEYS + 1] = {[LOSS] = (char[]){"loss"},
                                      [DUPLICATE] = (char[]){"duplicate"},
                                      [REORDER] = (char[]){"reorder"},
                                      [CORRUPT] = (char[]){"corrupt"},
                                      [REORDER_BY] = (char[]){"reorder_by"},
                                      [DELAY] = (char[]){"delay"},
                                      [JITTER] = (char[]){"jitter"},
                                      [RATE] = (char[]){"rate"},
                                      [QUEUE] = (char[]){"queue"},
                                      [SEED] = (char[]){"seed"}};

static int read_count(const char *value, unsigned *count)
{
    uint64_t number;

    WEIR_TRY(value_number(value, 1, 1000000, &number));
    *count = (unsigned)number;
    return 0;
}

static int read_one(enum key key, const char *value, struct weir_fault *fault, uint64_t *seed)
{
    switch (key) {
    case LOSS:
        return value_fraction(value, 0, 1, &fault->loss);
    case DUPLICATE:
        return value_fraction(value, 0, 1, &fault->duplicate);
    case REORDER:
        return value_fraction(value, 0, 1, &fault->reorder);
    case CORRUPT:
        return value_fraction(value, 0, 1, &fault->corrupt);
    case REORDER_BY:
        return read_count(value, &fault->reorder_by);
    case DELAY:
        return value_time(value, &fault->delay);
    case JITTER:
        return value_time(value, &fault->jitter);
    case RATE:
        return value_amount(value, &fault->bits_per_second);
    case QUEUE:
        return read_count(value, &fault->queue);
    case SEED:
        return value_number(value, 0, UINT64_MAX, seed);
    case KEYS:
        break;
    }
    return -EINVAL;
}

int fault_option(char *text, struct weir_fault *fault, uint64_t *seed, char *error, size_t size)
{
    while (*text != '\0') {
        char *value = NULL;
        int key = getsubopt(&text, names, &value);

        if (key < 0) {
            snprintf(error, size,
                     "--fault knows no '%s': loss, duplicate, reorder, corrupt (0 to 1), reorder_by, delay, jitter "
                     "(10ms), rate (100M), queue, seed",
                     value);
            return -EINVAL;
        }
        if (value == NULL || read_one((enum key)key, value, fault, seed) < 0) {
            snprintf(error, size, "--fault: %s=%s makes no sense", names[key], value != NULL ? value : "");
            return -EINVAL;
        }
    }
    return 0;
}
