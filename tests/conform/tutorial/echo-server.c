/* Trio's tutorial, "An echo server", as a program of ours: it prints what that one prints. */
#include <stdio.h>
#include <string.h>
#include <weir/app.h>

enum { PORT = 12345 };

static unsigned connection_counter;

static int echo_server(struct weir_stream *server_stream, void *arg)
{
    unsigned ident = connection_counter++; /* so that the lines of several connections can be told apart */
    char data[4096];
    int n, rc = 0;

    printf("echo_server %u: started\n", ident);
    while (rc == 0 && (n = weir_receive_some(server_stream, data, sizeof data)) > 0) {
        printf("echo_server %u: received data b'%.*s'\n", ident, n, data);
        rc = weir_send_all(server_stream, data, (size_t)n);
    }
    if (rc == 0 && n == 0)
        printf("echo_server %u: connection closed\n", ident);
    else if (rc != -ECANCELED && n != -ECANCELED)
        printf("echo_server %u: crashed: %s\n", ident, weir_error_name(rc < 0 ? rc : n));
    return rc < 0 ? rc : n;
}

static int main_task(struct weir_app_context *context, void *settings)
{
    setlinebuf(stdout);
    return weir_serve_tcp(context->stack, PORT, echo_server, NULL);
}

WEIR_APP(.name = "tutorial-echo-server", .summary = "the echo server of Trio's tutorial", .main = main_task);
