/* weir: runs apps on the framework of the same name. */
#include "arguments.h"
#include "plugin.h"
#include "run.h"
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

const char *argp_program_version = "weir " WEIR_VERSION;

/* ---- weir run ---- */

static error_t expect_app(int key, char *argument, struct argp_state *state)
{
    if (key != ARGP_KEY_NO_ARGS)
        return ARGP_ERR_UNKNOWN;
    argp_error(state, "needs the name of an app: `weir list` shows which there are");
    return 0;
}

static int command_run(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = expect_app,
        .args_doc = "APP [OPTION...]\nAPP EAL-ARGUMENTS -- [OPTION...]",
        .doc =
            "Runs an app.\vWithout EAL arguments nothing needs to be prepared: no hugepages are needed, and --device "
            "names what to send and receive through. With them, what stands before -- reaches DPDK unchanged, and "
            "the first port that it brings is used. `weir run APP --help` shows all options, the app's own too."};
    struct run_options options;
    int status;

    if (argc < 2 || argv[1][0] == '-')
        arguments_parse(&argp, "weir run", argc, argv, NULL);
    run_options_parse(&options, argc - 1, argv + 1);
    status = run_app(&options);
    free(options.settings);
    return status;
}

/* ---- weir list ---- */

static error_t expect_nothing(int key, char *argument, struct argp_state *state)
{
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    argp_error(state, "takes no '%s'", argument);
    return 0;
}

static int command_list(int argc, char **argv)
{
    static const struct argp argp = {.parser = expect_nothing, .doc = "Lists the apps that are found."};

    arguments_parse(&argp, "weir list", argc, argv, NULL);
    if (plugin_list(stdout) > 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "weir list: no apps are found: set WEIR_PLUGIN_PATH to the directories that they are in\n");
    return EXIT_FAILURE;
}

/* ---- weir ---- */

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {{"run", command_run}, {"list", command_list}};

static error_t expect_command(int key, char *argument, struct argp_state *state)
{
    if (key == ARGP_KEY_ARG)
        argp_error(state, "there is no command '%s': run, or list", argument);
    else if (key == ARGP_KEY_NO_ARGS)
        argp_error(state, "needs a command: run, or list");
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = expect_command,
        .args_doc = "run APP ...\nlist",
        .doc =
            "Network programs that own their NIC.\v"
            "  weir list                  shows the apps\n"
            "  weir run echo --help       shows the options of one\n"
            "  weir run echo              serves it on a new TAP interface, as root\n"
            "  weir run echo --device memif:/tmp/echo.sock\n"
            "                             the same with no privilege, for another weir:\n"
            "  weir run echo-client --device memif-client:/tmp/echo.sock\n\n"
            "Apps are modules weir-app-NAME.so, looked for in the directories of the environment's "
            "WEIR_PLUGIN_PATH (with : in between), beside the launcher in its build tree, and in " WEIR_PLUGIN_DIRECTORY
            ". WEIR_LOG=info or =debug shows more of what goes on.\n\n"
            "Exit status: 0 when all went well, Ctrl-C included; 64 for a mistake on the command line; 1 else."};

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    arguments_parse(&argp, "weir", argc, argv, NULL);
    return EX_USAGE;
}
