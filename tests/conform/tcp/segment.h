/* A segment as a script writes it, in packetdrill's words: "P. 1:1001(1000) ack 1 win 257 <sack 3001:4001>". */
#ifndef WIRE_SEGMENT_H
#define WIRE_SEGMENT_H

#include "tcp_wire.h"

enum { URG = RTE_TCP_URG_FLAG, ECE = RTE_TCP_ECE_FLAG, CWR = RTE_TCP_CWR_FLAG };

/* Where in a script we are: what a failure names. */
struct script_place {
    const char *file;
    int line;
};

/* Says FILE:LINE: and what is wrong, and ends this process: each case has one of its own. */
void script_fail(const struct script_place *place, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

/* What is still to be read of a line. */
struct script_text {
    const struct script_place *place;
    const char *at;
};

/* Takes the word if it is next (after blanks). */
bool script_take(struct script_text *text, const char *word);
/* Takes the next blank-separated word into `word`. Returns false at the line's end. */
bool script_word(struct script_text *text, char *word, size_t size);
/* Takes a number; fails the script if there is none. */
int64_t script_number(struct script_text *text);
/* Takes a time: a number of seconds, or one with a unit: 200ms, 1.5s, 10us. */
weir_time script_time(struct script_text *text);
/* Fails the script if anything is left of the line. */
void script_end(struct script_text *text);

struct script_segment {
    uint8_t flags;
    uint32_t seq, ack, length; /* relative: 0 is a side's SYN */
    bool window_is, urgent_is, options_are, tos_is;
    uint32_t window; /* as in the header, not scaled */
    uint16_t urgent;
    uint8_t tos;
    /* of the options */
    struct weir_tcp_option_values options;
    bool value_is, echo_is; /* of the timestamps */
    bool no_timestamps;     /* noTS */
    bool own_mss;           /* "mss own": what the machine's link has room for */
};

void script_segment(struct script_text *text, struct script_segment *segment);
/* Writes what came out in the same words. Returns `text`. */
const char *script_seen(const struct wire_seen *seen, char *text, size_t size);

#endif
