/* Private to net/tcp: text that is put together piece by piece, as far as it fits. */
#ifndef WEIR_TCP_TEXT_H
#define WEIR_TCP_TEXT_H

#include <weir/base.h>

/* `length` is what would have been written, as snprintf counts. */
struct text {
    char *at;
    size_t size, length;
};

void say(struct text *text, const char *format, ...) WEIR_PRINTF(2, 3);

#endif
