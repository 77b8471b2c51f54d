/* `weir run`: everything an app needs, made in order, and unmade in reverse. */
#ifndef LAUNCHER_RUN_H
#define LAUNCHER_RUN_H

#include "run_options.h"

/* Runs the app. Returns the exit status of the process: 0, or 1 after one line on stderr. */
int run_app(const struct run_options *options);

#endif
