/* What the programs about flow control share: an echo server, a network of two channels, and what a deadlock report
 * says of it. */
#ifndef TEST_SUPPORT_FLOW_H
#define TEST_SUPPORT_FLOW_H

#include "kept_stderr.h"
#include "twin.h"
#include <string.h>

struct way {
    struct weir_send_channel send;
    struct weir_receive_channel receive;
};
static struct way to_server, to_client;

static int receive_back(int count)
{
    for (int i = 0, value; i < count; i++) {
        WEIR_TRY(weir_receive(&to_client.receive, &value));
        say("client: back %d", value);
    }
    return 0;
}

static int server(void *arg)
{
    int value, rc;
    while ((rc = weir_receive(&to_server.receive, &value)) == 0) {
        say("server: got %d", value);
        WEIR_TRY(weir_send(&to_client.send, &value));
    }
    return rc == -ENODATA ? 0 : rc;
}

static void close_both(void)
{
    struct way *ways[] = {&to_server, &to_client};
    for (int i = 0; i < 2; i++) {
        weir_send_channel_close(&ways[i]->send);
        weir_receive_channel_close(&ways[i]->receive);
    }
}

static int run_flow(size_t room, int (*client)(void *))
{
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(weir_open_memory_channel(&to_server.send, &to_server.receive, room, sizeof(int), NULL, NULL));
    WEIR_TRY(weir_open_memory_channel(&to_client.send, &to_client.receive, room, sizeof(int), NULL, NULL));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon_(&nursery, client, NULL, WEIR_SITE("client"));
        weir_start_soon(&nursery, server, NULL);
    }
    close_both();
    return rc;
}

/* The report's first line up to the comma, and what the tree says that each of the two waits in. */
static void say_report(void)
{
    const char *report = strstr(stderr_kept(), "deadlock: ");
    if (report == NULL) {
        say("no deadlock");
        return;
    }
    say("%.*s", (int)strcspn(report, ","), report);
    static const char *const names[] = {"─ client: ", "─ server: "};
    for (int i = 0; i < 2; i++) {
        const char *line = strstr(report, names[i]);
        if (line != NULL)
            say("%.*s", (int)strcspn(line, "\n)") + 1 - 4, line + 4);
    }
}

#define FLOW_TWIN(room, client)                                                                                        \
    static int main_task(void *arg)                                                                                    \
    {                                                                                                                  \
        return run_flow(room, client);                                                                                 \
    }                                                                                                                  \
    int main(void)                                                                                                     \
    {                                                                                                                  \
        keep_stderr();                                                                                                 \
        run_twin(main_task, (struct weir_run_options){.deadlock_ends = true});                                         \
        say_report();                                                                                                  \
        return 0;                                                                                                      \
    }

#endif
