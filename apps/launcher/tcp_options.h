/* The options of `weir run` that concern TCP. */
#ifndef LAUNCHER_TCP_OPTIONS_H
#define LAUNCHER_TCP_OPTIONS_H

#include <argp.h>
#include <weir/net/stack.h>

/* A child of the other options. Its input is a struct weir_stack_options, all zero or filled in: what is named is set.
 */
extern const struct argp tcp_options;

#endif
