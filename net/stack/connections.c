/* The connections of a stack, for people: as ss shows the kernel's. */
#include "stack_private.h"

const char *weir_tcp_state_short(enum weir_tcp_state state)
{
    static const char *const names[] = {
        [WEIR_TCP_CLOSED] = "UNCONN",         [WEIR_TCP_LISTEN] = "LISTEN",
        [WEIR_TCP_SYN_SENT] = "SYN-SENT",     [WEIR_TCP_SYN_RECEIVED] = "SYN-RECV",
        [WEIR_TCP_ESTABLISHED] = "ESTAB",     [WEIR_TCP_FIN_WAIT_1] = "FIN-WAIT-1",
        [WEIR_TCP_FIN_WAIT_2] = "FIN-WAIT-2", [WEIR_TCP_CLOSE_WAIT] = "CLOSE-WAIT",
        [WEIR_TCP_CLOSING] = "CLOSING",       [WEIR_TCP_LAST_ACK] = "LAST-ACK",
        [WEIR_TCP_TIME_WAIT] = "TIME-WAIT",
    };
    return names[state];
}

const struct weir_tcp_connection *weir_stack_next_connection(struct weir_stack *stack, unsigned *at)
{
    if (*at == 0)
        weir_tcp_timers(stack->tcp, weir_current_time()); /* tells the time, to which all answers refer */
    return weir_tcp_next_connection(stack->tcp, at);
}

static void print_connection(struct weir_stack *stack, const struct weir_tcp_connection *c, FILE *out)
{
    char local[WEIR_ENDPOINT_TEXT], remote[WEIR_ENDPOINT_TEXT], line[1024];
    struct weir_endpoint ours, peers;
    struct weir_tcp_info info;
    weir_tcp_endpoints(c, &ours, &peers);
    weir_tcp_get_info(stack->tcp, c, &info);
    weir_tcp_info_format(&info, line, sizeof line);
    fprintf(out, "%-10s %-6u %-6u %21s %21s\n\t %s\n", weir_tcp_state_short(info.state), info.unread,
            info.unacked + info.unsent, weir_endpoint_format(&ours, local, sizeof local),
            weir_endpoint_format(&peers, remote, sizeof remote), line);
}

void weir_stack_print_connections(struct weir_stack *stack, FILE *out, unsigned most)
{
    const struct weir_tcp_connection *c;
    unsigned at = 0, printed = 0, more = 0;
    fprintf(out, "%-10s %-6s %-6s %21s %21s\n", "State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port");
    while ((c = weir_stack_next_connection(stack, &at)) != NULL)
        if (printed < most) {
            print_connection(stack, c, out);
            printed++;
        } else {
            more++;
        }
    if (more > 0)
        fprintf(out, "and %u more\n", more);
}
