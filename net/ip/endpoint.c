/* Addresses and ports as text. */
#include <arpa/inet.h>
#include <string.h>
#include <weir/net/ip.h>

struct weir_address weir_endpoint_address(const struct weir_endpoint *endpoint)
{
    if (endpoint->family == AF_INET)
        return weir_address_v4(rte_be_to_cpu_32(endpoint->v4.s_addr));
    return endpoint->family == AF_INET6 ? weir_address_from(&endpoint->v6) : (struct weir_address){0};
}

struct weir_endpoint weir_endpoint_of(const struct weir_address *address, uint16_t port)
{
    struct weir_endpoint endpoint = {.port = port};

    if (weir_address_is_v4(address)) {
        endpoint.family = AF_INET;
        endpoint.v4.s_addr = address->words[3];
    } else {
        endpoint.family = AF_INET6;
        memcpy(&endpoint.v6, address, sizeof(endpoint.v6));
    }
    return endpoint;
}

const char *weir_endpoint_format(const struct weir_endpoint *endpoint, char *text, size_t size)
{
    char address[INET6_ADDRSTRLEN];

    if (endpoint->family == AF_INET) {
        inet_ntop(AF_INET, &endpoint->v4, address, sizeof(address));
        snprintf(text, size, "%s:%u", address, endpoint->port);
    } else if (endpoint->family == AF_INET6) {
        inet_ntop(AF_INET6, &endpoint->v6, address, sizeof(address));
        snprintf(text, size, "[%s]:%u", address, endpoint->port);
    } else {
        snprintf(text, size, "?");
    }
    return text;
}

/* Reads a decimal port that ends the text; an empty text is port 0. */
static int parse_port(const char *text, uint16_t *port)
{
    unsigned value = 0;

    if (*text == '\0') {
        *port = 0;
        return 0;
    }
    if (*text++ != ':' || *text == '\0')
        return -EINVAL;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return -EINVAL;
        value = value * 10 + (unsigned)(*text - '0');
        if (value > UINT16_MAX)
            return -EINVAL;
    }
    *port = (uint16_t)value;
    return 0;
}

/* Splits off the address: "[v6]", or up to the colon of the port, or a bare v6 one, which has more colons than one. */
static const char *split(const char *text, char address[INET6_ADDRSTRLEN], int *family)
{
    const char *end, *colon = strchr(text, ':');

    if (*text == '[') {
        end = strchr(++text, ']');
        *family = AF_INET6;
    } else if (colon != NULL && strchr(colon + 1, ':') != NULL) {
        end = text + strlen(text);
        *family = AF_INET6;
    } else {
        end = colon != NULL ? colon : text + strlen(text);
        *family = AF_INET;
    }
    if (end == NULL || end - text >= INET6_ADDRSTRLEN)
        return NULL;
    memcpy(address, text, (size_t)(end - text));
    address[end - text] = '\0';
    return *end == ']' ? end + 1 : end;
}

int weir_endpoint_parse(const char *text, struct weir_endpoint *endpoint)
{
    struct weir_endpoint found = {0};
    char address[INET6_ADDRSTRLEN];
    int family;
    const char *port = split(text, address, &family);

    if (port == NULL || parse_port(port, &found.port) < 0)
        return -EINVAL;
    found.family = (uint16_t)family;
    if (inet_pton(family, address, family == AF_INET ? (void *)&found.v4 : (void *)&found.v6) != 1)
        return -EINVAL;
    *endpoint = found;
    return 0;
}
