/* For tests: whether a kind of stream keeps what weir/stream.h promises. Trio's check_one_way_stream and its kin, and
 * what else C makes one want to know. They need no test framework. */
#ifndef WEIR_CHECK_STREAMS_H
#define WEIR_CHECK_STREAMS_H

#include <weir/stream.h>

/* Makes pairs of connected streams. What is sent by one end is received at the other. */
struct weir_stream_maker {
    void *arg;

    /* Makes a pair; may wait. A one-way stream's sending end comes first. Returns 0 or -errno. */
    int (*make)(void *arg, struct weir_stream *ends[2]);

    /* The same, but so that at each end that sends, weir_send_all and weir_wait_send_all_might_not_block wait until
     * something is received at the other end. NULL: this kind never makes one wait; what needs it is not checked. */
    int (*make_clogged)(void *arg, struct weir_stream *ends[2]);

    /* Frees a pair, both ends of which were closed. NULL: closing them did. */
    void (*free)(void *arg, struct weir_stream *ends[2]);

    /* When an end is closed its pointer is dead, as with TCP: then no closed end is touched again, and what it would
     * answer is not checked. */
    bool dies_at_close;

    /* How long, on the loop's clock, one check may take, in nanoseconds. 0: 60 s. */
    weir_time patience;
};

/* Told of each violation, in words. */
typedef void weir_check_report(void *arg, const char *violation);

/* Check a kind of stream, each point with a pair of its own: all the rest is checked though one is violated.
 * check_one_way_stream: one end sends, the other receives. check_two_way_stream: that, both ways, and both at once.
 * check_half_closeable_stream: that, and weir_send_eof. report: NULL writes to stderr. Return 0 if all held; -EPROTO:
 * it was reported what did not; -ECANCELED; what making a pair failed with. In weir_run, where all other tasks are
 * blocked meanwhile; a virtual clock that jumps makes them quick. Checkpoint: always. */
WEIR_MUST_CHECK int weir_check_one_way_stream(const struct weir_stream_maker *maker, weir_check_report *report,
                                              void *arg);
WEIR_MUST_CHECK int weir_check_two_way_stream(const struct weir_stream_maker *maker, weir_check_report *report,
                                              void *arg);
WEIR_MUST_CHECK int weir_check_half_closeable_stream(const struct weir_stream_maker *maker, weir_check_report *report,
                                                     void *arg);

#endif
