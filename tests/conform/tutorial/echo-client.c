/* Trio's tutorial, "An echo client", as a program of ours: it prints what that one prints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/app.h>

enum { PORT = 12345 };

struct client {
    struct weir_stream *stream;
    struct weir_nursery nursery;
};

static int sender(void *arg)
{
    static const char data[] = "async can sometimes be confusing, but I believe in you!";
    struct client *client = arg;

    printf("sender: started!\n");
    for (;;) {
        printf("sender: sending b'%s'\n", data);
        WEIR_TRY(weir_send_all(client->stream, data, strlen(data)));
        WEIR_TRY(weir_sleep(WEIR_SECONDS(1)));
    }
}

static int receiver(void *arg)
{
    struct client *client = arg;
    char data[4096];
    int n;

    printf("receiver: started!\n");
    while ((n = weir_receive_some(client->stream, data, sizeof data)) > 0)
        printf("receiver: got data b'%.*s'\n", n, data);
    if (n < 0)
        return n;
    printf("receiver: connection closed\n");
    weir_nursery_cancel(&client->nursery); /* sys.exit(): ends the whole program */
    return 0;
}

static int parent(struct weir_app_context *context, void *settings)
{
    struct weir_endpoint server;
    struct client client;
    int rc = 0;

    setlinebuf(stdout);
    WEIR_TRY(weir_endpoint_parse(*(const char **)settings, &server));
    server.port = PORT;
    printf("parent: connecting to %s:%d\n", *(const char **)settings, PORT);
    WEIR_TRY(weir_open_tcp_stream(context->stack, &server, &client.stream));
    weir_with_nursery (&client.nursery, rc) {
        printf("parent: spawning sender...\n");
        weir_start_soon(&client.nursery, sender, &client);

        printf("parent: spawning receiver...\n");
        weir_start_soon(&client.nursery, receiver, &client);
    }
    int closed = weir_stream_close(client.stream);
    return rc < 0 ? rc : closed;
}

/* A stack does not talk to itself, so the server is not on 127.0.0.1 but where the only argument says. */
static error_t parse(int key, char *text, struct argp_state *state)
{
    if (key != 's')
        return ARGP_ERR_UNKNOWN;
    *(const char **)state->input = text;
    return 0;
}

static const struct argp_option options[] = {{"server", 's', "ADDRESS", 0, "Where the echo server is", 0}, {0}};
static const struct argp argp = {options, parse};
static const char *const settings_defaults = "192.0.2.2";

WEIR_APP(.name = "tutorial-echo-client", .summary = "the echo client of Trio's tutorial", .argp = &argp,
         .settings_size = sizeof(settings_defaults), .settings_defaults = &settings_defaults, .main = parent);
