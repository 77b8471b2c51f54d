/* IPv4 options, RFC 791 section 3.1. The header itself is parsed inline, for it is on every packet's way. */
#include <weir/net/wire.h>

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_LOOSE_ROUTE = 131, OPTION_STRICT_ROUTE = 137 };

int weir_ipv4_source_routed(const void *options, size_t length)
{
    const uint8_t *at = options, *end = at + length;
    int found = 0;

    while (at < end && *at != OPTION_END) {
        if (*at == OPTION_NOP) {
            at++;
            continue;
        }
        if (end - at < 2 || at[1] < 2 || at[1] > end - at)
            return -EBADMSG;
        found |= *at == OPTION_LOOSE_ROUTE || *at == OPTION_STRICT_ROUTE;
        at += at[1];
    }
    return found;
}
