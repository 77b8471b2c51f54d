/* The kernel's way: an echo server and its client on epoll, one thread each, to stand beside ours in scripts/bench.
 * The client's loop and report are weir-load's, so that only the stack differs. */
#include "load/histogram.h"

#include <argp.h>
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 64
#define BUFFER 65536
#define PATIENCE_SECONDS 10

struct echo_options {
    bool server, crr;
    unsigned connections, size;
    double seconds, warmup;
    struct sockaddr_in address;
};

struct client {
    const struct echo_options *options;
    int epoll;
    bool measuring;
    uint64_t replies;
    struct histogram latency; /* in nanoseconds */
    struct connection {
        int fd;
        unsigned received; /* bytes of the reply now arriving */
        uint64_t sent_at;
    } connections[];
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int tcp_socket(void)
{
    static const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
        err(1, "socket");
    return fd;
}

static void watch(int epoll, int fd, void *what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        err(1, "epoll_ctl");
}

/* ---- the server ---- */

static void serve_one(int fd)
{
    static char buffer[BUFFER];
    ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return;
    for (ssize_t sent = 0, k; sent < n; sent += k) {
        k = send(fd, buffer + sent, (size_t)(n - sent), MSG_NOSIGNAL);
        if (k < 0)
            n = -1;
    }
    if (n <= 0)
        close(fd);
}

static int serve(const struct echo_options *o)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC), listener = tcp_socket();
    struct epoll_event events[EVENTS];

    if (bind(listener, (const struct sockaddr *)&o->address, sizeof(o->address)) < 0 || listen(listener, 4096) < 0)
        err(1, "listen");
    watch(epoll, listener, (void *)(intptr_t)listener);
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < n; i++) {
            int fd = (int)(intptr_t)events[i].data.ptr;

            if (fd != listener) {
                serve_one(fd);
                continue;
            }
            fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            if (fd >= 0)
                watch(epoll, fd, (void *)(intptr_t)fd);
        }
    }
}

/* ---- the client ---- */

static void request(struct client *client, struct connection *c)
{
    static char payload[BUFFER];

    c->received = 0;
    c->sent_at = now_ns();
    if (send(c->fd, payload, client->options->size, MSG_NOSIGNAL) != (ssize_t)client->options->size)
        err(1, "send");
}

/* The server may still be starting: it is tried again until it listens. */
static void connect_one(struct client *client, struct connection *c)
{
    const struct echo_options *o = client->options;
    uint64_t until = now_ns() + PATIENCE_SECONDS * 1000000000ull;

    for (;;) {
        c->fd = tcp_socket();
        if (connect(c->fd, (const struct sockaddr *)&o->address, sizeof(o->address)) == 0)
            break;
        if (errno != ECONNREFUSED || now_ns() > until)
            err(1, "connect");
        close(c->fd);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    watch(client->epoll, c->fd, c);
}

/* By a reset, which leaves no TIME-WAIT: the ports would run out. It is less work than what Weir's client does. */
static void again(struct client *client, struct connection *c)
{
    const struct linger none = {.l_onoff = 1};

    if (setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)) < 0)
        err(1, "SO_LINGER");
    close(c->fd);
    connect_one(client, c);
}

static void receive(struct client *client, struct connection *c)
{
    static char buffer[BUFFER];
    ssize_t n = recv(c->fd, buffer, sizeof(buffer), MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        errx(1, "the server closed");
    c->received += (unsigned)n;
    if (c->received < client->options->size)
        return;
    if (client->measuring) {
        uint64_t took = now_ns() - c->sent_at;

        client->replies++;
        histogram_add(&client->latency, took < UINT32_MAX ? (uint32_t)took : UINT32_MAX);
    }
    if (client->options->crr)
        again(client, c);
    request(client, c);
}

static void run(struct client *client, double seconds)
{
    uint64_t until = now_ns() + (uint64_t)(seconds * 1e9);
    struct epoll_event events[EVENTS];

    while (now_ns() < until) {
        int n = epoll_wait(client->epoll, events, EVENTS, 10);

        for (int i = 0; i < n; i++)
            receive(client, events[i].data.ptr);
    }
}

static int load(const struct echo_options *o)
{
    struct client *client = calloc(1, sizeof(*client) + o->connections * sizeof(client->connections[0]));
    uint64_t from;
    double seconds, rate;

    if (client == NULL)
        err(1, "client");
    client->options = o;
    client->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < o->connections; i++)
        connect_one(client, &client->connections[i]);
    for (unsigned i = 0; i < o->connections; i++)
        request(client, &client->connections[i]);
    run(client, o->warmup);
    client->measuring = true;
    from = now_ns();
    run(client, o->seconds);
    seconds = (double)(now_ns() - from) * 1e-9;
    rate = (double)client->replies / seconds;
    printf("{\"mode\": \"%s\", \"connections\": %u, \"depth\": 1, \"size\": %u, \"seconds\": %.3f, \"rate\": %.0f, "
           "\"p50_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f}\n",
           o->crr ? "crr" : "tcp", o->connections, o->size, seconds, rate,
           histogram_percentile(&client->latency, 0.5) * 1e-3, histogram_percentile(&client->latency, 0.99) * 1e-3,
           histogram_percentile(&client->latency, 0.999) * 1e-3);
    free(client);
    return rate == 0;
}

/* ---- options ---- */

static const struct argp_option options[] = {
    {"connections", 'c', "N", 0, "client: connections at a time (1)", 0},
    {"size", 's', "BYTES", 0, "client: bytes of a request (64)", 0},
    {"seconds", 't', "S", 0, "client: how long to measure (2)", 0},
    {"warmup", 'w', "S", 0, "client: how long to run before that (0.2)", 0},
    {"crr", 'r', NULL, 0, "client: each connection carries one request", 0},
    {"address", 'a', "IP", 0, "where to listen, or to connect to (127.0.0.1)", 0},
    {"port", 'p', "PORT", 0, "on which port (7)", 0},
    {0},
};

static unsigned parse_count(const char *text, unsigned high, struct argp_state *state)
{
    char *end;
    unsigned long count = strtoul(text, &end, 10);

    if (end == text || *end != 0 || count == 0 || count > high)
        argp_error(state, "%s: not a number from 1 to %u", text, high);
    return (unsigned)count;
}

static double parse_seconds(const char *text, struct argp_state *state)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end == text || *end != 0 || seconds < 0)
        argp_error(state, "%s: not a number of seconds", text);
    return seconds;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct echo_options *o = state->input;

    switch (key) {
    case 'c':
        o->connections = parse_count(arg, 60000, state);
        break;
    case 'r':
        o->crr = true;
        break;
    case 's':
        o->size = parse_count(arg, BUFFER, state);
        break;
    case 't':
        o->seconds = parse_seconds(arg, state);
        break;
    case 'w':
        o->warmup = parse_seconds(arg, state);
        break;
    case 'a':
        if (inet_pton(AF_INET, arg, &o->address.sin_addr) != 1)
            argp_error(state, "%s: not an IPv4 address", arg);
        break;
    case 'p':
        o->address.sin_port = htons((uint16_t)parse_count(arg, 65535, state));
        break;
    case ARGP_KEY_ARG:
        o->server = strcmp(arg, "server") == 0;
        if (!o->server && strcmp(arg, "client") != 0)
            argp_error(state, "%s: server or client?", arg);
        break;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp argp = {options,
                                 parse,
                                 "server|client",
                                 "A TCP echo server on the kernel's sockets and epoll, and a client that loads it.",
                                 NULL,
                                 NULL,
                                 NULL};

int main(int argc, char **argv)
{
    struct echo_options o = {.connections = 1,
                             .size = 64,
                             .seconds = 2,
                             .warmup = 0.2,
                             .address = {.sin_family = AF_INET, .sin_port = htons(7)}};
    struct rlimit files;

    inet_pton(AF_INET, "127.0.0.1", &o.address.sin_addr);
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    return o.server ? serve(&o) : load(&o);
}
