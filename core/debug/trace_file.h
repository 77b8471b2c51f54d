/* A file of trace events, in JSON, that is whole whenever it was written to. Private to this room. */
#ifndef WEIR_DEBUG_TRACE_FILE_H
#define WEIR_DEBUG_TRACE_FILE_H

#include <sys/types.h>
#include <weir/base.h>

struct weir_trace_file {
    int fd;
    bool seeks; /* a pipe does not: there the end is written at the end only */
    char *buffer;
    size_t used;
    off_t written, limit; /* bytes */
    bool any;             /* some event is in it */
    int error;            /* the first one; nothing is written after it */
    uint64_t dropped;     /* events, after an error or the limit */
};

/* Returns 0, -ENOMEM, or what opening said. limit: bytes, 0: none. */
int weir_trace_file_open(struct weir_trace_file *file, const char *path, off_t limit);

/* One event, without its braces: the format's values are numbers; a string follows with weir_trace_file_string. Between
 * begin and end. Returns false if the event is dropped. */
bool weir_trace_file_begin(struct weir_trace_file *file);
void weir_trace_file_printf(struct weir_trace_file *file, const char *format, ...) WEIR_PRINTF(2, 3);
void weir_trace_file_string(struct weir_trace_file *file, const char *text); /* quoted; cut if it is very long */
void weir_trace_file_end(struct weir_trace_file *file);

void weir_trace_file_flush(struct weir_trace_file *file);

/* Returns 0 or the first error. */
int weir_trace_file_close(struct weir_trace_file *file);

#endif
