/* What a plugin for the launcher `weir` is: one exported descriptor.
 *
 *     static int main_task(struct weir_app_context *context, void *settings) { ... }
 *     WEIR_APP(.name = "echo", .summary = "answers what it is told", .main = main_task);
 *
 * Built as a shared module "weir-app-NAME.so" and put where the launcher looks (weir --help), it is `weir run NAME`. */
#ifndef WEIR_APP_H
#define WEIR_APP_H

#include <argp.h>
#include <weir/net/stream.h>
#include <weir/weir.h>

/* Changes whenever a program built before could misread something here; the launcher refuses any other number. */
#define WEIR_APP_ABI 1u

/* What the launcher has set up when the app's main task starts. All of it is the launcher's, and outlives the task. */
struct weir_app_context {
    struct weir_stack *stack; /* on the device that the user named; closed by the launcher after main has ended */
    struct weir_dev *dev;
    const char *place; /* for messages: "192.0.2.2/24 on tap weir0"           */
    bool quiet;        /* the user wants nothing printed that is not an error */
};

struct weir_app {
    uint32_t abi;            /* first, in every version: WEIR_APP_ABI */
    const char *name;        /* as in `weir run NAME`           */
    const char *summary;     /* a few words for `weir list`     */
    const struct argp *argp; /* its options, or NULL; its parser's input is the settings. Say errors with argp_error. */
    size_t settings_size;    /* bytes; 0: none                  */
    const void *settings_defaults; /* copied into the settings before options are parsed; NULL: zeroes        */
    /* Runs as a task. It is cancelled by Ctrl-C, SIGTERM and --duration; returning -ECANCELED then is no failure. Any
     * other negative result is, and fails the launcher. */
    int (*main)(struct weir_app_context *context, void *settings);
};

/* Defines the descriptor; once in a plugin. */
#define WEIR_APP(...)                                                                                                  \
    extern const struct weir_app weir_app;                                                                             \
    __attribute__((visibility("default"))) const struct weir_app weir_app = {.abi = WEIR_APP_ABI, __VA_ARGS__}

#endif
