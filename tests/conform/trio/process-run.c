#include "twin.h"
#include <string.h>

static char *const *program(const char *command)
{
    static const char *argv[] = {"sh", "-c", NULL, NULL};
    argv[2] = command;
    return (char *const *)argv;
}

static int main_task(void *arg)
{
    static char cat_name[] = "cat";
    char *const cat[] = {cat_name, NULL};
    struct weir_process_result result;
    int rc = weir_run_process(
        cat, &(struct weir_run_process_options){.input = "hello", .input_size = 5, .capture_output = true}, &result);
    WEIR_TRY(rc);
    say("main: %d %s", result.status, result.output);
    weir_process_result_free(&result);
    WEIR_TRY(weir_run_process(program("exit 3"), &(struct weir_run_process_options){.unchecked = true}, &result));
    say("main: %d", result.status);
    weir_process_result_free(&result);
    say("main: %s", name(weir_run_process(program("exit 3"), NULL, NULL)));
    WEIR_TRY(weir_run_process(program("echo out; echo err >&2"),
                              &(struct weir_run_process_options){.capture_output = true, .capture_errors = true},
                              &result));
    say("main: %.*s %.*s", (int)strcspn(result.output, "\n"), result.output, (int)strcspn(result.errors, "\n"),
        result.errors);
    weir_process_result_free(&result);
    return 0;
}

TWIN(main_task)
