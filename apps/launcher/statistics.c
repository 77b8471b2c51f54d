/* --stats: a line now and then. */
#include "statistics.h"
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

/* 1234567 as "1.23 M". */
static const char *short_number(double value, char *text, size_t size)
{
    static const char *const prefixes[] = {"", "k", "M", "G", "T"};
    size_t i = 0;

    for (; value >= 1000 && i + 1 < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        value /= 1000;
    snprintf(text, size, "%.3g %s", value, prefixes[i]);
    return text;
}

static uint64_t drops(const struct weir_stack_stats *s)
{
    return s->dev.rx_dropped + s->dev.tx_dropped + s->tx_dropped + s->tcp.ofo_drop + s->tcp.rcv_q_drop +
           s->udp.rcvbuf_errors;
}

/* How much a counter has grown; a driver may begin again at zero (memif does, with each peer). */
static double growth(uint64_t now, uint64_t before)
{
    return (double)(now >= before ? now - before : now);
}

static void print_line(const struct weir_stack_stats *now, const struct weir_stack_stats *before, double seconds)
{
    char in_packets[16], in_bytes[16], out_packets[16], out_bytes[16];
    bool terminal = isatty(STDOUT_FILENO);

    printf("%s%u connections  in %spackets/s %sB/s  out %spackets/s %sB/s  dropped %" PRIu64 "  retransmitted %" PRIu64
           "%s",
           terminal ? "\r\033[K" : "", now->tcp.curr_estab,
           short_number(growth(now->dev.rx_packets, before->dev.rx_packets) / seconds, in_packets, 16),
           short_number(growth(now->dev.rx_bytes, before->dev.rx_bytes) / seconds, in_bytes, 16),
           short_number(growth(now->dev.tx_packets, before->dev.tx_packets) / seconds, out_packets, 16),
           short_number(growth(now->dev.tx_bytes, before->dev.tx_bytes) / seconds, out_bytes, 16), drops(now),
           now->tcp.retrans_segs, terminal ? "" : "\n");
    fflush(stdout);
}

int statistics_task(void *argument)
{
    const struct statistics *statistics = argument;
    struct weir_stack_stats before, now;
    weir_time then = weir_current_time();
    int rc;

    weir_stack_stats(statistics->stack, &before);
    while ((rc = weir_sleep(statistics->every)) == 0) {
        weir_stack_stats(statistics->stack, &now);
        print_line(&now, &before, (double)(weir_current_time() - then) / 1e9);
        before = now;
        then = weir_current_time();
    }
    if (isatty(STDOUT_FILENO))
        putchar('\n');
    return rc;
}
