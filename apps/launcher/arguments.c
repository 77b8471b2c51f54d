/* Parsing options with argp, whose complaints become one line. */
#include "arguments.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { HELP = '?', USAGE = 0x100, VERSION = 'V' };

struct parsing {
    const struct argp *root;
    const char *name;
    void *input;
};

static const struct argp_option own_options[] = {{"help", HELP, NULL, 0, "Print this, and exit", -1},
                                                 {"usage", USAGE, NULL, 0, "Print a short usage, and exit", -1},
                                                 {"version", VERSION, NULL, 0, "Print the version, and exit", -1},
                                                 {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    const struct parsing *parsing = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = parsing->input;
        return 0;
    case HELP:
    case USAGE:
        argp_help(parsing->root, stdout, key == HELP ? ARGP_HELP_STD_HELP : ARGP_HELP_USAGE, (char *)parsing->name);
        exit(EXIT_SUCCESS);
    case VERSION:
        puts(argp_program_version);
        exit(EXIT_SUCCESS);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void arguments_wrong(const char *name, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s: ", name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, " (%s --help says more)\n", name);
    exit(EX_USAGE);
}

/* Whatever was said is a complaint: "NAME: what" in its first line, and advice after it. */
static void complain(const char *name, char *said)
{
    size_t length = strlen(name);

    said[strcspn(said, "\n")] = '\0';
    if (strncmp(said, name, length) == 0 && strncmp(said + length, ": ", 2) == 0)
        said += length + 2;
    arguments_wrong(name, "%s", said);
}

void arguments_parse(const struct argp *argp, const char *name, int argc, char **argv, void *input)
{
    const struct argp_child children[] = {{argp, 0, NULL, 0}, {0}};
    const struct argp root = {.options = own_options, .parser = parse, .children = children};
    struct parsing parsing = {.root = &root, .name = name, .input = input};
    char *said = NULL, *replaced = argv[0];
    size_t length = 0;
    FILE *real = stderr, *text = open_memstream(&said, &length);
    error_t failed;

    /* getopt and argp write to stderr by themselves, in two lines or more: let them write elsewhere. */
    if (text != NULL)
        stderr = text;
    argv[0] = (char *)name;
    failed = argp_parse(&root, argc, argv, ARGP_NO_EXIT | ARGP_NO_HELP, NULL, &parsing);
    argv[0] = replaced;
    if (text != NULL)
        fclose(text);
    stderr = real;
    if (length > 0)
        complain(name, said);
    if (failed != 0)
        arguments_wrong(name, "%s", strerror(failed));
    free(said);
}
