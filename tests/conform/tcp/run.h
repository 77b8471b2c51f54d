/* Runs the lines of one case over the real machine. */
#ifndef WIRE_RUN_H
#define WIRE_RUN_H

#include "segment.h"

#define SCRIPT_PEERS 4

/* What belongs to one peer; the others' wait while it is played. */
struct script_peer {
    uint16_t port;
    uint32_t iss, isn;
    struct weir_tcp_connection *c;
    uint64_t written, read;
    uint16_t mss;
    int scale;
    bool timestamps, sack;
    uint32_t ts_echo, window;
    bool ts_known;
    uint32_t ts_first; /* of the machine: what scripts call 0 */
};

struct script {
    struct wire w;
    struct script_place place;
    bool open; /* the machine is: settings come before */
    unsigned backlog;
    struct weir_tcp_listener *listener;
    struct weir_tcp_connection *c;
    bool ts_known;
    uint32_t ts_first;
    bool turn; /* something was done that the machine may answer at the turn's end */
    weir_time began, peer_began;
    struct weir_tcp_settings settings;
    struct script_peer peers[SCRIPT_PEERS];
    unsigned peer;
};

void script_begin(struct script *script);
/* Does one line. Any fault ends the process: see script_fail. */
void script_line(struct script *script, const char *file, int number, const char *line);
/* Nothing may be left that no line has looked at; every packet must be back. */
void script_finish(struct script *script);

/* ---- run.c ---- */
/* The end of a turn, if one has begun. */
void script_flush(struct script *script);
/* Makes the machine, if it is not there yet. */
void script_open(struct script *script);
/* Lets time pass, turn by turn. */
void script_pass(struct script *script, weir_time time);
/* Fails the script if anything came out that no line has looked at. */
void script_expect_nothing(struct script *script);

/* ---- exchange.c ---- */
/* "< SEGMENT": the peer sends it. */
void script_arrives(struct script *script, struct script_text *text);
/* "> SEGMENT": it came out between `from` and `to`. */
void script_comes_out(struct script *script, struct script_text *text, weir_time from, weir_time to);
/* "icmp KIND [mtu N] at SEQ": a router complains of a segment of ours. */
void script_icmp(struct script *script, struct script_text *text);

/* ---- calls.c ---- */
/* What the user does, and what can be asked of the machine. Returns false if no call is named so. */
bool script_call(struct script *script, struct script_text *text);
/* "state NAME [ERROR]". */
void script_state(struct script *script, struct script_text *text);

/* ---- bulk.c ---- */
void script_bulk(struct script *script, struct script_text *text);
void script_loss(struct script *script, struct script_text *text);

/* ---- ask.c ---- */
/* "info NAME VALUE" and "stat NAME VALUE", VALUE being N or A..B. */
void script_info(struct script *script, struct script_text *text);
void script_stat(struct script *script, struct script_text *text);
/* "set NAME VALUE", before the machine is made. */
void script_set(struct script *script, struct script_text *text);

#endif
