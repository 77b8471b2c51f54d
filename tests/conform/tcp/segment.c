/* Reads and writes segments in packetdrill's words. */
#include "segment.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>

void script_fail(const struct script_place *place, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    printf("%s:%d: ", place->file, place->line);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    fflush(stdout);
    _exit(1);
}

/* ---- words ---- */

static void skip_blanks(struct script_text *text)
{
    while (isspace((unsigned char)*text->at))
        text->at++;
}

bool script_take(struct script_text *text, const char *word)
{
    size_t length = strlen(word);

    skip_blanks(text);
    if (strncmp(text->at, word, length) != 0 ||
        (isalpha((unsigned char)word[length - 1]) && isalnum((unsigned char)text->at[length])))
        return false;
    text->at += length;
    return true;
}

bool script_word(struct script_text *text, char *word, size_t size)
{
    size_t length;

    skip_blanks(text);
    length = strcspn(text->at, " \t");
    if (length == 0)
        return false;
    if (length >= size)
        script_fail(text->place, "a word that is too long: %s", text->at);
    memcpy(word, text->at, length);
    word[length] = 0;
    text->at += length;
    return true;
}

int64_t script_number(struct script_text *text)
{
    char *end;
    int64_t number;

    skip_blanks(text);
    number = strtoll(text->at, &end, 10);
    if (end == text->at)
        script_fail(text->place, "a number is missing at \"%s\"", text->at);
    text->at = end;
    return number;
}

/* How long a number is that may have a point in it, but not two: "0..500ms" begins with 0. */
static size_t decimal_length(const char *at)
{
    size_t length = strspn(at, "0123456789");

    if (at[length] == '.' && at[length + 1] != '.')
        length += 1 + strspn(at + length + 1, "0123456789");
    return length;
}

weir_time script_time(struct script_text *text)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
    double unit = 1, number;
    char digits[32];
    size_t length;

    skip_blanks(text);
    length = decimal_length(text->at);
    if (length == 0 || length >= sizeof(digits))
        script_fail(text->place, "a time is missing at \"%s\"", text->at);
    memcpy(digits, text->at, length);
    digits[length] = 0;
    number = strtod(digits, NULL);
    text->at += length;
    for (unsigned i = 0; i < RTE_DIM(units); i++)
        if (script_take(text, units[i].name))
            unit = units[i].seconds;
    return (weir_time)(number * unit * 1e9 + 0.5);
}

void script_end(struct script_text *text)
{
    skip_blanks(text);
    if (*text->at != 0)
        script_fail(text->place, "what is this? \"%s\"", text->at);
}

/* ---- reading ---- */

static const struct {
    char letter;
    uint8_t flag;
} flag_letters[] = {{'F', FIN}, {'S', SYN}, {'R', RST}, {'P', PSH}, {'.', ACK}, {'U', URG}, {'E', ECE}, {'W', CWR}};

static uint8_t read_flags(struct script_text *text)
{
    uint8_t flags = 0;
    char word[16];

    if (!script_word(text, word, sizeof(word)))
        script_fail(text->place, "flags are missing");
    for (const char *at = word; *at != 0 && strcmp(word, "-") != 0; at++) {
        unsigned i = 0;
        while (i < RTE_DIM(flag_letters) && flag_letters[i].letter != *at)
            i++;
        if (i == RTE_DIM(flag_letters))
            script_fail(text->place, "no flag is called \"%c\"", *at);
        flags |= flag_letters[i].flag;
    }
    return flags;
}

/* "A:B(N)", where "(N)" may be left out. */
static void read_range(struct script_text *text, struct script_segment *segment)
{
    segment->seq = (uint32_t)script_number(text);
    if (!script_take(text, ":"))
        script_fail(text->place, "FROM:TO is missing");
    segment->length = (uint32_t)script_number(text) - segment->seq;
    if (script_take(text, "(") && ((uint32_t)script_number(text) != segment->length || !script_take(text, ")")))
        script_fail(text->place, "the length in brackets is not that of the range");
    if (segment->length > UINT16_MAX)
        script_fail(text->place, "the range ends before it begins");
}

static void read_timestamps(struct script_text *text, struct script_segment *segment)
{
    segment->options.has_timestamps = true;
    if (script_take(text, "val")) {
        segment->value_is = true;
        segment->options.timestamp = (uint32_t)script_number(text);
    }
    if (script_take(text, "ecr")) {
        segment->echo_is = true;
        segment->options.timestamp_echo = (uint32_t)script_number(text);
    }
}

static void read_blocks(struct script_text *text, struct weir_tcp_option_values *options)
{
    do {
        struct weir_tcp_sack_block *block = &options->sack[options->sack_count++];

        if (options->sack_count > WEIR_TCP_SACK_MAX)
            script_fail(text->place, "more SACK blocks than fit");
        block->left = (uint32_t)script_number(text);
        if (!script_take(text, ":"))
            script_fail(text->place, "FROM:TO is missing");
        block->right = (uint32_t)script_number(text);
        skip_blanks(text);
    } while (isdigit((unsigned char)*text->at) || *text->at == '-');
}

static void read_option(struct script_text *text, struct script_segment *segment)
{
    struct weir_tcp_option_values *options = &segment->options;

    if (script_take(text, "nop") || script_take(text, "eol"))
        return;
    if (script_take(text, "sackOK"))
        options->sack_permitted = true;
    else if (script_take(text, "noTS"))
        segment->no_timestamps = true;
    else if (script_take(text, "TS"))
        read_timestamps(text, segment);
    else if (script_take(text, "sack"))
        read_blocks(text, options);
    else if (script_take(text, "wscale")) {
        options->has_scale = true;
        options->scale = (uint8_t)script_number(text);
    } else if (script_take(text, "mss own"))
        segment->own_mss = true;
    else if (script_take(text, "mss"))
        options->mss = (uint16_t)script_number(text);
    else
        script_fail(text->place, "no option begins like \"%s\"", text->at);
}

static void read_options(struct script_text *text, struct script_segment *segment)
{
    segment->options_are = true;
    if (script_take(text, ">"))
        return;
    do
        read_option(text, segment);
    while (script_take(text, ","));
    if (!script_take(text, ">"))
        script_fail(text->place, "the options do not end with \">\"");
}

static void read_ecn(struct script_text *text, struct script_segment *segment)
{
    static const char *const names[] = {"[noecn]", "[ect1]", "[ect0]", "[ce]"}; /* RFC 3168 section 5 */

    for (uint8_t i = 0; i < RTE_DIM(names); i++)
        if (script_take(text, names[i])) {
            segment->tos_is = true;
            segment->tos = i;
        }
}

void script_segment(struct script_text *text, struct script_segment *segment)
{
    memset(segment, 0, sizeof(*segment));
    read_ecn(text, segment);
    segment->flags = read_flags(text);
    read_range(text, segment);
    if (script_take(text, "ack"))
        segment->ack = (uint32_t)script_number(text);
    else if (segment->flags & ACK)
        script_fail(text->place, "\".\" says that there is an ACK, but \"ack\" is missing");
    if (script_take(text, "win")) {
        segment->window_is = true;
        segment->window = (uint32_t)script_number(text);
    }
    if (script_take(text, "urg")) {
        segment->urgent_is = true;
        segment->urgent = (uint16_t)script_number(text);
    }
    if (script_take(text, "<"))
        read_options(text, segment);
}

/* ---- writing ---- */

struct writer {
    char *text;
    size_t size, length;
};

static void say(struct writer *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct writer *writer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    writer->length +=
        (size_t)vsnprintf(writer->text + writer->length, writer->size - writer->length, format, arguments);
    va_end(arguments);
    writer->length = RTE_MIN(writer->length, writer->size - 1);
}

const char *script_seen(const struct wire_seen *seen, char *text, size_t size)
{
    const struct weir_tcp_option_values *options = &seen->options;
    struct writer writer = {text, size, 0};

    for (unsigned i = 0; i < RTE_DIM(flag_letters); i++)
        if (seen->flags & flag_letters[i].flag)
            say(&writer, "%c", flag_letters[i].letter);
    say(&writer, " %d:%d(%u)", (int32_t)seen->seq, (int32_t)(seen->seq + seen->length), seen->length);
    if (seen->flags & ACK)
        say(&writer, " ack %d", (int32_t)seen->ack);
    say(&writer, " win %u", seen->window);
    if (options->mss != 0)
        say(&writer, " <mss %u>", options->mss);
    if (options->has_scale)
        say(&writer, " <wscale %u>", options->scale);
    if (options->sack_permitted)
        say(&writer, " <sackOK>");
    if (options->has_timestamps)
        say(&writer, " <TS>");
    for (unsigned i = 0; i < options->sack_count; i++)
        say(&writer, " <sack %d:%d>", (int32_t)options->sack[i].left, (int32_t)options->sack[i].right);
    if ((seen->tos & 3) != 0)
        say(&writer, " (ecn %u)", seen->tos & 3);
    return text;
}
