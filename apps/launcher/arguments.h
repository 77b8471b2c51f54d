/* Parsing options with argp, whose complaints become one line. */
#ifndef LAUNCHER_ARGUMENTS_H
#define LAUNCHER_ARGUMENTS_H

#include <argp.h>
#include <weir/base.h>

/* Parses argv[1..] with `argp` and gives it --help, --usage and --version, which print and exit. `name` is what the
 * user typed to get here ("weir run echo"). On a mistake, prints one line and exits with EX_USAGE. */
void arguments_parse(const struct argp *argp, const char *name, int argc, char **argv, void *input);

/* Prints "NAME: what (NAME --help says more)" in one line and exits with EX_USAGE. */
WEIR_NORETURN void arguments_wrong(const char *name, const char *format, ...) WEIR_PRINTF(2, 3);

#endif
