/* What dpdk-telemetry.py can ask. Questions come in threads of DPDK's; they are handed into the loop and answered
 * there, while the asking thread waits. */
#include "telemetry.h"
#include "value.h"
#include <pthread.h>
#include <rte_telemetry.h>
#include <string.h>
#include <weir/thread.h>

enum { CONNECTIONS_AN_ANSWER = 64, EVENTS_MAX = 4096 }; /* an answer is 16 KB at most */

/* DPDK hands nothing of ours to a command, and never forgets one. `stack` is for the loop's thread alone. */
static struct {
    pthread_mutex_t lock;
    struct weir_token *token; /* NULL: nobody is there to answer */
    struct weir_stack *stack;
    bool registered;
} door = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct question {
    int (*answer)(struct weir_stack *stack, const char *parameters, struct rte_tel_data *data);
    const char *parameters;
    struct rte_tel_data *data;
};

/* ---- answers, in the loop ---- */

static int tell_counters(struct weir_stack *stack, const char *parameters, struct rte_tel_data *data)
{
    struct weir_stack_stats stats;
    struct weir_counter counter;
    char name[RTE_TEL_MAX_STRING_LEN];

    weir_stack_stats(stack, &stats);
    rte_tel_data_start_dict(data);
    for (unsigned i = 0; weir_stack_counter(&stats, i, &counter); i++) {
        snprintf(name, sizeof(name), "%s%s", counter.group, counter.name);
        rte_tel_data_add_dict_u64(data, name, counter.value);
    }
    return 0;
}

static int read_place(const char *text, unsigned *place)
{
    uint64_t number;

    WEIR_TRY(value_number(text, 0, UINT32_MAX, &number));
    *place = (unsigned)number;
    return 0;
}

static void tell_ends(const struct weir_tcp_connection *c, char *local, char *remote)
{
    struct weir_endpoint ours, peers;

    weir_tcp_endpoints(c, &ours, &peers);
    weir_endpoint_format(&ours, local, WEIR_ENDPOINT_TEXT);
    weir_endpoint_format(&peers, remote, WEIR_ENDPOINT_TEXT);
}

/* Each by its place: "ESTAB LOCAL REMOTE". What does not fit in one answer is asked for from `next` on. */
static int tell_connections(struct weir_stack *stack, const char *parameters, struct rte_tel_data *data)
{
    char local[WEIR_ENDPOINT_TEXT], remote[WEIR_ENDPOINT_TEXT], id[16], text[RTE_TEL_MAX_STRING_LEN];
    const struct weir_tcp_connection *c;
    unsigned at = 0, told = 0;

    if (parameters != NULL)
        WEIR_TRY(read_place(parameters, &at));
    rte_tel_data_start_dict(data);
    while ((c = weir_stack_next_connection(stack, &at)) != NULL) {
        if (told++ == CONNECTIONS_AN_ANSWER) {
            rte_tel_data_add_dict_u64(data, "next", at - 1);
            break;
        }
        tell_ends(c, local, remote);
        snprintf(id, sizeof(id), "%u", at - 1);
        snprintf(text, sizeof(text), "%s %s %s", weir_tcp_state_short(weir_tcp_state(c)), local, remote);
        rte_tel_data_add_dict_string(data, id, text);
    }
    return 0;
}

#define FIELD(name)                                                                                                    \
    {                                                                                                                  \
#name, offsetof(struct weir_tcp_info, name), sizeof(((struct weir_tcp_info *)NULL)->name)                      \
    }

static const struct field {
    const char *name;
    size_t offset, size;
} fields[] = {
    FIELD(timestamps),
    FIELD(sack),
    FIELD(ecn),
    FIELD(send_scale),
    FIELD(receive_scale),
    FIELD(rto_us),
    FIELD(rtt_us),
    FIELD(rtt_variation_us),
    FIELD(min_rtt_us),
    FIELD(mss),
    FIELD(path_mtu),
    FIELD(cwnd),
    FIELD(ssthresh),
    FIELD(snd_wnd),
    FIELD(rcv_wnd),
    FIELD(receive_buffer),
    FIELD(send_buffer),
    FIELD(unacked),
    FIELD(unsent),
    FIELD(unread),
    FIELD(bytes_sent),
    FIELD(bytes_retransmitted),
    FIELD(bytes_acked),
    FIELD(bytes_received),
    FIELD(segments_in),
    FIELD(segments_out),
    FIELD(segments_retransmitted),
    FIELD(segments_lost),
    FIELD(segments_resent),
    FIELD(segments_sacked),
    FIELD(dsacks),
    FIELD(reorderings),
    FIELD(out_of_order),
    FIELD(send_rate),
    FIELD(sent_ms_ago),
    FIELD(received_ms_ago),
    FIELD(heard_ms_ago),
    FIELD(backoff),
    FIELD(recovering),
};

static void tell_info(const struct weir_tcp_info *info, struct rte_tel_data *data)
{
    for (size_t i = 0; i < RTE_DIM(fields); i++) {
        const char *at = (const char *)info + fields[i].offset;
        uint64_t wide = 0;
        uint32_t word = 0;

        if (fields[i].size == sizeof(wide))
            memcpy(&wide, at, sizeof(wide));
        else if (fields[i].size == sizeof(word))
            memcpy(&word, at, sizeof(word));
        else
            word = *(const uint8_t *)at;
        rte_tel_data_add_dict_u64(data, fields[i].name, fields[i].size == sizeof(wide) ? wide : word);
    }
}

static void tell_events(struct weir_stack *stack, const struct weir_tcp_connection *c, struct rte_tel_data *data)
{
    struct rte_tel_data *lines = rte_tel_data_alloc();
    char text[EVENTS_MAX], *rest = text, *line;

    if (lines == NULL)
        return;
    rte_tel_data_start_array(lines, RTE_TEL_STRING_VAL);
    (void)weir_tcp_events_format(weir_stack_tcp(stack), weir_current_time(), c, text, sizeof(text));
    while ((line = strsep(&rest, "\n")) != NULL)
        if (*line != '\0')
            rte_tel_data_add_array_string(lines, line + strspn(line, " "));
    rte_tel_data_add_dict_container(data, "events", lines, 0);
}

static int tell_connection(struct weir_stack *stack, const char *parameters, struct rte_tel_data *data)
{
    char local[WEIR_ENDPOINT_TEXT], remote[WEIR_ENDPOINT_TEXT];
    const struct weir_tcp_connection *c;
    struct weir_tcp_info info;
    unsigned place, at = 0;

    if (parameters == NULL)
        return -EINVAL;
    WEIR_TRY(read_place(parameters, &place));
    do
        c = weir_stack_next_connection(stack, &at);
    while (c != NULL && at <= place);
    if (c == NULL || at - 1 != place)
        return -ENOENT;
    weir_tcp_get_info(weir_stack_tcp(stack), c, &info);
    tell_ends(c, local, remote);
    rte_tel_data_start_dict(data);
    rte_tel_data_add_dict_string(data, "state", weir_tcp_state_short(info.state));
    rte_tel_data_add_dict_string(data, "local", local);
    rte_tel_data_add_dict_string(data, "remote", remote);
    rte_tel_data_add_dict_string(data, "congestion", info.congestion);
    tell_info(&info, data);
    tell_events(stack, c, data);
    return 0;
}

/* ---- questions, in DPDK's threads ---- */

static int answer_in_loop(void *arg)
{
    struct question *question = arg;

    return door.stack != NULL ? question->answer(door.stack, question->parameters, question->data) : -ESRCH;
}

static int ask(struct question question)
{
    struct weir_token *token;
    int rc;

    pthread_mutex_lock(&door.lock);
    token = door.token != NULL ? weir_token_hold(door.token) : NULL;
    pthread_mutex_unlock(&door.lock);
    if (token == NULL)
        return -ESRCH;
    rc = weir_from_thread_run_sync(token, answer_in_loop, &question);
    weir_token_release(token);
    return rc;
}

static int on_stats(const char *command, const char *parameters, struct rte_tel_data *data)
{
    return ask((struct question){tell_counters, parameters, data});
}

static int on_connections(const char *command, const char *parameters, struct rte_tel_data *data)
{
    return ask((struct question){tell_connections, parameters, data});
}

static int on_connection(const char *command, const char *parameters, struct rte_tel_data *data)
{
    return ask((struct question){tell_connection, parameters, data});
}

static void register_commands(void)
{
    if (door.registered)
        return;
    door.registered = true;
    rte_telemetry_register_cmd("/weir/stats", on_stats, "Returns the stack's counters, by the names of nstat");
    rte_telemetry_register_cmd("/weir/connections", on_connections,
                               "Returns the TCP connections by their numbers. Parameter: the first number wanted");
    rte_telemetry_register_cmd("/weir/connection", on_connection,
                               "Returns a TCP connection's state and what happened to it. Parameter: its number");
}

void telemetry_open(struct weir_stack *stack)
{
    door.stack = stack;
    register_commands();
    pthread_mutex_lock(&door.lock);
    door.token = weir_current_token();
    pthread_mutex_unlock(&door.lock);
}

void telemetry_close(void)
{
    struct weir_token *token;

    door.stack = NULL;
    pthread_mutex_lock(&door.lock);
    token = door.token;
    door.token = NULL;
    pthread_mutex_unlock(&door.lock);
    if (token != NULL)
        weir_token_release(token);
}
