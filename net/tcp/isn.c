/* What an outsider must not guess: initial sequence numbers, timestamps' offsets, ephemeral ports. */
#include "tcp_private.h"

#define PORT_FIRST 32768u /* half of the room, as RFC 6056 section 3.2 asks for as much as can be spared */
#define PORT_COUNT 32768u

void tcp_choose_numbers(const struct weir_tcp *tcp, const struct tcp_key *key, uint32_t *isn, uint32_t *ts_offset)
{
    uint64_t hash = weir_siphash(tcp->key, key, sizeof(*key));

    /* M, the clock of 4 microseconds, keeps the numbers of one four-tuple growing; F, the hash, hides them from all
     * other four-tuples. The timestamps of a four-tuple grow as well, so RFC 6191 works. */
    *isn = (uint32_t)hash + (uint32_t)((uint64_t)tcp->now / 4000);
    *ts_offset = (uint32_t)(hash >> 32);
}

static bool port_taken(struct weir_tcp *tcp, const struct tcp_key *key, uint16_t port)
{
    return tcp_lookup(tcp, key, tcp_hash(tcp, key)) != NULL || tcp_find_listener(tcp, port) != NULL;
}

uint16_t tcp_choose_port(struct weir_tcp *tcp, const struct weir_address *remote, uint16_t remote_port,
                         const struct weir_address *local)
{
    uint64_t word = ++tcp->ports_tried;
    uint64_t start = weir_siphash(tcp->key, &word, sizeof(word));

    for (uint32_t i = 0; i < PORT_COUNT; i++) {
        uint16_t port = (uint16_t)(PORT_FIRST + (start + i) % PORT_COUNT);
        struct tcp_key key = {*remote, *local, tcp_ports(remote_port, port)};
        if (!port_taken(tcp, &key, port))
            return port;
    }
    return 0;
}
