/* Trace events, buffered; each time they are written the file's end is written behind them, and then overwritten. */
#include "trace_file.h"
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = 64 * 1024, EVENT_MAX = 8 * 1024, STRING_MAX = 256, STRINGS_MAX = 4 };
static const char BEGINNING[] = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", END[] = "\n]}\n";

/* Each character of a string may become an escape of six. */
_Static_assert(STRINGS_MAX * 6 * STRING_MAX < EVENT_MAX, "an event fits");

static int write_all(struct weir_trace_file *file, const char *data, size_t size, off_t where)
{
    while (size > 0) {
        ssize_t n = file->seeks ? pwrite(file->fd, data, size, where) : write(file->fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        size -= (size_t)n;
        where += n;
    }
    return 0;
}

void weir_trace_file_flush(struct weir_trace_file *file)
{
    if (file->error == 0)
        file->error = write_all(file, file->buffer, file->used, file->written);
    file->written += (off_t)file->used;
    file->used = 0;
    if (file->error == 0 && file->seeks)
        file->error = write_all(file, END, sizeof END - 1, file->written);
}

int weir_trace_file_open(struct weir_trace_file *file, const char *path, off_t limit)
{
    *file = (struct weir_trace_file){.limit = limit, .buffer = malloc(BUFFER)};
    if (file->buffer == NULL)
        return -ENOMEM;
    file->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file->fd < 0) {
        int code = -errno;
        free(file->buffer);
        return code;
    }
    file->seeks = lseek(file->fd, 0, SEEK_CUR) >= 0;
    weir_trace_file_printf(file, "%s", BEGINNING);
    weir_trace_file_flush(file);
    return 0;
}

int weir_trace_file_close(struct weir_trace_file *file)
{
    weir_trace_file_flush(file);
    if (file->error == 0 && !file->seeks)
        file->error = write_all(file, END, sizeof END - 1, 0);
    if (close(file->fd) < 0 && file->error == 0)
        file->error = -errno;
    free(file->buffer);
    return file->error;
}

bool weir_trace_file_begin(struct weir_trace_file *file)
{
    bool full = file->limit > 0 && file->written + (off_t)file->used + EVENT_MAX > file->limit;
    if (file->error != 0 || full) {
        file->dropped++;
        return false;
    }
    if (file->used + EVENT_MAX > BUFFER)
        weir_trace_file_flush(file);
    weir_trace_file_printf(file, file->any ? ",\n{" : "\n{");
    file->any = true;
    return true;
}

void weir_trace_file_end(struct weir_trace_file *file)
{
    weir_trace_file_printf(file, "}");
}

void weir_trace_file_printf(struct weir_trace_file *file, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(file->buffer + file->used, BUFFER - file->used, format, arguments);
    va_end(arguments);
    WEIR_ASSERT(n >= 0 && file->used + (size_t)n < BUFFER);
    file->used += (size_t)n;
}

/* How many bytes the UTF-8 character at `text` has; 0: it is none. (RFC 3629) */
static size_t utf8_length(const unsigned char *text)
{
    static const unsigned char least[] = {0, 0, 0x80, 0xA0, 0x90}; /* of the second byte, behind C2, E0 and F0 */
    size_t length = text[0] < 0x80 ? 1 : text[0] < 0xC2 ? 0 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;
    if (length <= 1)
        return length;
    if (text[0] > 0xF4 || ((text[0] == 0xE0 || text[0] == 0xF0) && text[1] < least[length]) ||
        (text[0] == 0xED && text[1] > 0x9F) || (text[0] == 0xF4 && text[1] > 0x8F))
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

void weir_trace_file_string(struct weir_trace_file *file, const char *text)
{
    weir_trace_file_printf(file, "\"");
    for (const unsigned char *at = (const unsigned char *)text, *end = at + STRING_MAX - 4; *at != '\0' && at < end;) {
        size_t length = utf8_length(at);
        if (length == 0)
            weir_trace_file_printf(file, "\\ufffd");
        else if (*at == '"' || *at == '\\')
            weir_trace_file_printf(file, "\\%c", *at);
        else if (*at < 0x20)
            weir_trace_file_printf(file, "\\u%04x", *at);
        else
            weir_trace_file_printf(file, "%.*s", (int)length, (const char *)at);
        at += length > 0 ? length : 1;
    }
    weir_trace_file_printf(file, "\"");
}
