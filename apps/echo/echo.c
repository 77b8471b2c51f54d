/* echo: answers what it is told, over TCP (RFC 862) and over UDP. The example to copy. */
#include <stdio.h>
#include <stdlib.h>
#include <weir/app.h>

enum { BATCH = 32, PORT_DEFAULT = 7 };

struct settings {
    uint16_t port;
    bool tcp, udp; /* neither: both */
};

/* One connection. The packets that come are the packets that go: no byte of them is touched. */
static int echo(struct weir_stream *stream, void *arg)
{
    struct rte_mbuf *data;
    int n;

    while ((n = weir_stream_receive(stream, &data)) > 0)
        WEIR_TRY(weir_stream_send(stream, data));
    return n; /* 0 at the stream's end: closing it is the server's */
}

struct server {
    struct weir_stack *stack;
    uint16_t port;
};

static int serve_tcp(void *arg)
{
    const struct server *server = arg;

    return weir_serve_tcp(server->stack, server->port, echo, NULL);
}

/* A batch of datagrams at a time, each back to whom it came from, by the address that was asked. */
static int echo_datagrams(struct weir_datagrams *datagrams)
{
    struct rte_mbuf *packets[BATCH];
    struct weir_endpoint from[BATCH];
    struct weir_address asked[BATCH];

    for (;;) {
        int n = weir_receive_datagrams(datagrams, packets, from, BATCH);

        if (n == -ECONNREFUSED || n == -EHOSTUNREACH) /* one that we answered has gone since */
            continue;
        if (n < 0)
            return n;
        for (int i = 0; i < n; i++)
            asked[i] = weir_udp_asked(packets[i]);
        n = weir_send_datagrams_from(datagrams, packets, from, asked, (unsigned)n);
        if (n == -ECANCELED) /* any other error is of one datagram, which is lost, as datagrams may be */
            return n;
    }
}

static int serve_udp(void *arg)
{
    const struct server *server = arg;
    struct weir_datagrams *datagrams;
    int rc;

    WEIR_TRY(weir_open_datagrams(server->stack, server->port, &datagrams));
    rc = echo_datagrams(datagrams);
    weir_datagrams_close(datagrams);
    return rc;
}

static int main_task(struct weir_app_context *context, void *arg)
{
    const struct settings *settings = arg;
    bool both = settings->tcp == settings->udp;
    struct server server = {.stack = context->stack, .port = settings->port};
    struct weir_nursery nursery;
    int rc = 0;

    if (!context->quiet)
        printf("echo: port %u of %s\n", settings->port, context->place);
    weir_with_nursery (&nursery, rc) {
        if (both || settings->tcp)
            weir_start_soon(&nursery, serve_tcp, &server);
        if (both || settings->udp)
            weir_start_soon(&nursery, serve_udp, &server);
    }
    return rc;
}

/* ---- options ---- */

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct settings *settings = state->input;
    long port;
    char *end;

    switch (key) {
    case 'p':
        port = strtol(argument, &end, 10);
        if (end == argument || *end != '\0' || port < 1 || port > UINT16_MAX)
            argp_error(state, "--port '%s' is no number from 1 to 65535", argument);
        settings->port = (uint16_t)port;
        return 0;
    case 't':
        settings->tcp = true;
        return 0;
    case 'u':
        settings->udp = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {{"port", 'p', "PORT", 0, "The port to answer on. Default: 7", 0},
                                             {"tcp", 't', NULL, 0, "Over TCP. Default: TCP and UDP", 0},
                                             {"udp", 'u', NULL, 0, "Over UDP", 0},
                                             {0}};
static const struct argp argp = {.options = options, .parser = parse};
static const struct settings defaults = {.port = PORT_DEFAULT};

WEIR_APP(.name = "echo", .summary = "Answers what it is told, over TCP and UDP", .argp = &argp,
         .settings_size = sizeof(defaults), .settings_defaults = &defaults, .main = main_task);
