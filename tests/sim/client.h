/* Clients that know each byte of what they send and of what must come back, and servers for them. */
#ifndef SIM_CLIENT_H
#define SIM_CLIENT_H

#include "world.h"

enum { PORT = 7 };

struct client {
    struct world *world;
    struct weir_stream *stream;
    uint64_t seed; /* of the bytes that it sends */
    size_t total, sent, received;
    bool copies;                /* sends and receives by copying, else by packets     */
    int host;                   /* that it is on                                      */
    const struct client *other; /* whose bytes it receives; NULL: its own, from an echo */
};

/* Connects. A cable cut for 20 s may swallow all that one attempt asks, be it who the other is (3 s): tries again. */
int client_connect(struct client *client);

/* Sends all, then the stream's end. A task's function; of a client. */
int client_send(void *arg);

/* Sends and receives on client->stream at the same time, to both ends. */
int client_talk_on(struct client *client);

/* Connects, talks, closes. A task's function; of a client. */
int client_talk(void *arg);

/* Handlers of servers. */
int echo_packets(struct weir_stream *stream, void *arg);
int echo_copies(struct weir_stream *stream, void *arg);

struct service {
    struct world *world;
    int (*handler)(struct weir_stream *stream, void *arg);
    void *arg;
};

/* Runs clients on host 0 against a server on host 1; the server is cancelled when they are done. */
int run_clients(struct world *world, struct service *service, int (*client_main)(void *arg), struct client *clients,
                unsigned count);

#endif
