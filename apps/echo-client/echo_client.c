/* echo-client: tells an echo server a lot, over many connections at once, and checks every byte of the answers. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/app.h>
#include <weir/net/wire.h>

enum {
    TABLE = 1 << 16, /* bytes of the pattern, which goes round and round */
    CHUNK = 1 << 14, /* told at once                                     */
    HEARD = 4096,    /* heard at once, on the task's stack               */
    STEP = 4099      /* where the next connection enters the pattern     */
};

struct settings {
    struct weir_endpoint server;
    unsigned streams;
    uint64_t bytes; /* of each stream, each way */
};

struct client {
    const struct settings *settings;
    struct weir_stack *stack;
    uint8_t pattern[TABLE + CHUNK]; /* its beginning again at its end, so that no chunk is cut */
};

struct connection {
    struct client *client;
    unsigned index;
    struct weir_stream *stream;
};

/* The bytes at an offset of a connection's stream; the next CHUNK of them are there too. */
static const uint8_t *bytes_at(const struct connection *connection, uint64_t offset)
{
    return connection->client->pattern + ((uint64_t)connection->index * STEP + offset) % TABLE;
}

static int tell(void *arg)
{
    const struct connection *connection = arg;
    uint64_t bytes = connection->client->settings->bytes;

    for (uint64_t told = 0; told < bytes; told += CHUNK) {
        uint64_t left = bytes - told;

        WEIR_TRY(weir_send_all(connection->stream, bytes_at(connection, told), left < CHUNK ? left : CHUNK));
    }
    return weir_send_eof(connection->stream);
}

static int hear(const struct connection *connection)
{
    uint64_t heard = 0, bytes = connection->client->settings->bytes;
    uint8_t buffer[HEARD];
    int n;

    while ((n = weir_receive_some(connection->stream, buffer, sizeof(buffer))) > 0) {
        if (heard + (uint64_t)n > bytes || memcmp(buffer, bytes_at(connection, heard), (size_t)n) != 0) {
            fprintf(stderr, "echo-client: connection %u: what came back after byte %" PRIu64 " is not what went\n",
                    connection->index, heard);
            return -EBADMSG;
        }
        heard += (uint64_t)n;
    }
    if (n == 0 && heard < bytes) {
        fprintf(stderr, "echo-client: connection %u: ended after %" PRIu64 " of %" PRIu64 " bytes\n", connection->index,
                heard, bytes);
        return -EBADMSG;
    }
    return n;
}

static int talk(void *arg)
{
    struct connection *connection = arg;
    struct weir_nursery nursery;
    int rc = 0, closed;

    WEIR_TRY(
        weir_open_tcp_stream(connection->client->stack, &connection->client->settings->server, &connection->stream));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, tell, connection);
        rc = hear(connection);
    }
    closed = weir_stream_close(connection->stream);
    return rc < 0 ? rc : closed;
}

static int talk_on_all(struct client *client, struct connection *connections)
{
    struct weir_nursery nursery;
    int rc = 0;

    weir_with_nursery (&nursery, rc) {
        for (unsigned i = 0; i < client->settings->streams; i++) {
            connections[i] = (struct connection){.client = client, .index = i};
            weir_start_soon(&nursery, talk, &connections[i]);
        }
    }
    return rc;
}

static void fill_pattern(struct client *client)
{
    struct weir_rng rng;

    weir_rng_seed(&rng, 1);
    for (size_t i = 0; i < TABLE; i++)
        client->pattern[i] = (uint8_t)weir_rng_next(&rng);
    memcpy(client->pattern + TABLE, client->pattern, CHUNK);
}

static void print_result(const struct settings *settings, weir_time taken)
{
    uint64_t all = settings->bytes * settings->streams;

    printf("echo-client: %u connections, %" PRIu64 " bytes each: all %" PRIu64 " bytes came back equal, in %.2f s "
           "(%.0f Mbit/s each way)\n",
           settings->streams, settings->bytes, all, (double)taken / 1e9, (double)all * 8e3 / (double)taken);
}

static int main_task(struct weir_app_context *context, void *arg)
{
    const struct settings *settings = arg;
    struct client *client = malloc(sizeof(*client));
    struct connection *connections = calloc(settings->streams, sizeof(*connections));
    weir_time start = weir_current_time();
    int rc = -ENOMEM;

    if (client != NULL && connections != NULL) {
        client->settings = settings;
        client->stack = context->stack;
        fill_pattern(client);
        rc = talk_on_all(client, connections);
    }
    free(connections);
    free(client);
    if (rc == 0 && !context->quiet)
        print_result(settings, weir_current_time() - start);
    return rc;
}

/* ---- options ---- */

static uint64_t read_number(const char *option, const char *argument, uint64_t most, struct argp_state *state)
{
    unsigned long long number;
    char *end;

    errno = 0;
    number = strtoull(argument, &end, 10);
    if (argument[0] < '0' || argument[0] > '9' || errno != 0 || *end != '\0' || number < 1 || number > most)
        argp_error(state, "%s '%s' is no number from 1 to %" PRIu64, option, argument, most);
    return number;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct settings *settings = state->input;

    switch (key) {
    case 'c':
        if (weir_endpoint_parse(argument, &settings->server) < 0 || settings->server.port == 0)
            argp_error(state, "--connect '%s' is no ADDRESS:PORT, such as 192.0.2.2:7", argument);
        return 0;
    case 'n':
        settings->streams = (unsigned)read_number("--streams", argument, 1000000, state);
        return 0;
    case 'b':
        settings->bytes = read_number("--bytes", argument, UINT64_C(1) << 50, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"connect", 'c', "ADDRESS:PORT", 0, "The echo server. Default: 192.0.2.2:7", 0},
    {"streams", 'n', "N", 0, "How many connections at once. Default: 16", 0},
    {"bytes", 'b', "N", 0, "How many bytes to tell on each. Default: 1048576", 0},
    {0}};
static const struct argp argp = {.options = options, .parser = parse};
static const struct settings defaults = {
    .server = {.family = AF_INET, .port = 7, .v4 = {RTE_BE32(WEIR_IPV4(192, 0, 2, 2))}},
    .streams = 16,
    .bytes = 1 << 20};

WEIR_APP(.name = "echo-client", .summary = "Tells an echo server a lot, and checks every byte of the answers",
         .argp = &argp, .settings_size = sizeof(defaults), .settings_defaults = &defaults, .main = main_task);
