/* A host's addresses once it runs: not at once its own, and some of them routers' gifts. */
#include "settle.h"
#include "value.h"
#include <arpa/inet.h>
#include <stdio.h>

#define LOOK_EVERY WEIR_MILLISECONDS(10)
/* Three solicitations, and there is no router: 3 * RTR_SOLICITATION_INTERVAL less one, and MAX_RTR_SOLICITATION_DELAY
 * before and after. RFC 4861 sections 6.3.7 and 10. */
#define ROUTERS_PATIENCE WEIR_SECONDS(10)

static bool is_given(const struct network *network, const struct weir_address *address)
{
    for (unsigned i = 0; i < network->addresses_count; i++)
        if (weir_address_equal(&network->addresses[i].address, address))
            return true;
    return false;
}

struct outlook {
    bool pending;                       /* some are nobody's yet */
    bool routed;                        /* one came from a router */
    const struct weir_address *another; /* is another host's, and was given by hand; or NULL */
};

static struct outlook look(const struct network *network, const struct weir_stack *stack)
{
    struct outlook outlook = {0};
    unsigned count;
    const struct weir_link_address *ours = weir_stack_addresses(stack, &count);

    for (unsigned i = 0; i < count; i++) {
        bool given = is_given(network, &ours[i].address);
        if (!(ours[i].flags & WEIR_ADDRESS_TENTATIVE))
            outlook.routed |= !given && !weir_address_is_link_local(&ours[i].address);
        else if (!(ours[i].flags & WEIR_ADDRESS_DUPLICATE))
            outlook.pending = true;
        else if (given)
            outlook.another = &ours[i].address;
    }
    return outlook;
}

int network_settle(const struct network *network, struct weir_stack *stack, char *error, size_t size)
{
    weir_time until = weir_time_add(weir_current_time(), ROUTERS_PATIENCE);
    struct outlook outlook;
    char text[INET6_ADDRSTRLEN];

    for (;;) {
        outlook = look(network, stack);
        if (outlook.another != NULL) {
            snprintf(error, size, "another host has %s: choose another address",
                     value_address_text(outlook.another, text));
            return -EADDRINUSE;
        }
        if (!outlook.pending && (!network->slaac || outlook.routed))
            return 0;
        if (weir_current_time() >= until) /* whatever routers go on promising */
            return 0;
        WEIR_TRY(weir_sleep(LOOK_EVERY));
    }
}

void network_describe(const struct network *network, const struct weir_stack *stack, char *text, size_t size)
{
    char address[INET6_ADDRSTRLEN];
    const char *comma = "";
    size_t length = 0;
    unsigned count;
    const struct weir_link_address *ours = weir_stack_addresses(stack, &count);

    for (unsigned i = 0; i < count && length < size; i++) {
        if (ours[i].flags & WEIR_ADDRESS_TENTATIVE)
            continue;
        length += (size_t)snprintf(text + length, size - length, "%s%s/%d", comma,
                                   value_address_text(&ours[i].address, address),
                                   ours[i].bits - (weir_address_is_v4(&ours[i].address) ? 96 : 0));
        comma = ", ";
    }
    if (network->vlan != 0 && length < size)
        snprintf(text + length, size - length, "%sVLAN %u", comma, network->vlan);
}
