/* Runs the cases of script files, each in a process of its own, so that one that fails, or dies, is only one. README.md
 * beside this tells what a script is. Usage: wire-script [-v] FILE... [-c WORD]: only cases whose names contain WORD.
 */
#include "run.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define PRELUDES_MAX 32
#define LINES_MAX 64

struct lines {
    char *text[LINES_MAX];
    int number[LINES_MAX];
    unsigned count;
};

struct prelude {
    char name[64];
    struct lines lines;
};

static struct {
    const char *path, *file;
    int line;
    struct prelude preludes[PRELUDES_MAX];
    unsigned prelude_count;
    char table[256]; /* the heading of the table that we are in; empty: in none */
    /* the case that is being read */
    char name[512];
    int name_line;
    struct lines lines;
    /* of all */
    const char *only;
    bool verbose;
    unsigned run, failed;
} reader;

/* What tests/support asserts with: see tests/plain/criterion. */
void plain_check(const char *file, int line, const char *what, bool ends, const char *format, ...)
{
    va_list arguments;

    printf("%s:%d: does not hold: %s", file, line, what);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
    _exit(1);
}

static void bad_file(const char *what)
{
    fprintf(stderr, "%s:%d: %s\n", reader.path, reader.line, what);
    exit(2);
}

/* ---- running ---- */

static struct prelude *find_prelude(const char *name)
{
    for (unsigned i = 0; i < reader.prelude_count; i++)
        if (strcmp(reader.preludes[i].name, name) == 0)
            return &reader.preludes[i];
    return NULL;
}

static void run_lines(struct script *script, const struct lines *lines)
{
    for (unsigned i = 0; i < lines->count; i++) {
        const struct prelude *prelude =
            strncmp(lines->text[i], "be ", 3) == 0 ? find_prelude(lines->text[i] + 3) : NULL;

        if (prelude != NULL)
            run_lines(script, &prelude->lines);
        else
            script_line(script, reader.file, lines->number[i], lines->text[i]);
    }
}

static void run_child(void)
{
    static struct script script;

    script_begin(&script);
    run_lines(&script, &reader.lines);
    script_finish(&script);
    fflush(stdout);
    _exit(0); /* not through LeakSanitizer, which would look for the EAL's threads here: a quarter of a second each */
}

static void run_case(void)
{
    int status;
    pid_t child;

    if (reader.name[0] != 0 && (reader.only == NULL || strstr(reader.name, reader.only) != NULL)) {
        fflush(NULL);
        child = fork();
        if (child == 0)
            run_child();
        if (child < 0 || waitpid(child, &status, 0) < 0)
            abort();
        reader.run++;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            reader.failed++;
            printf("FAILED %s:%d: %s\n", reader.file, reader.name_line, reader.name);
        } else if (reader.verbose) {
            printf("passed %s\n", reader.name);
        }
    }
    reader.name[0] = 0;
    for (unsigned i = 0; i < reader.lines.count; i++)
        free(reader.lines.text[i]);
    reader.lines.count = 0;
}

/* ---- reading ---- */

static void add_line(struct lines *lines, const char *text)
{
    if (lines->count == LINES_MAX)
        bad_file("a case of too many lines");
    lines->number[lines->count] = reader.line;
    lines->text[lines->count++] = strdup(text);
}

/* Cuts blanks off both ends, in place. */
static char *trim(char *text)
{
    char *end;

    while (isspace((unsigned char)*text))
        text++;
    end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        end--;
    *end = 0;
    return text;
}

/* Each case says which section it is from, in brackets. */
static void name_case(const char *name)
{
    if (strstr(name, "[RFC ") == NULL)
        bad_file("a case must cite its section: [RFC 9293 3.10.7.4]");
    snprintf(reader.name, sizeof(reader.name), "%s", name);
    reader.name_line = reader.line;
}

/* A cell's segments, divided by ";", each after `prefix`. "-": `otherwise`. */
static void add_cell(char *cell, const char *prefix, const char *otherwise)
{
    char line[256], *rest = cell;

    if (strcmp(cell, "-") == 0) {
        if (otherwise != NULL)
            add_line(&reader.lines, otherwise);
        return;
    }
    for (char *part; (part = strsep(&rest, ";")) != NULL;) {
        snprintf(line, sizeof(line), "%s%s", prefix, trim(part));
        add_line(&reader.lines, line);
    }
}

/* "GIVEN | ARRIVES | ANSWER | STATE [ERROR] | REMARK": a case in one line. */
static void table_row(char *row)
{
    char empty[] = "", *cells[5] = {empty, empty, empty, empty, empty}, name[512], given[80];
    unsigned count = 0;

    for (char *rest = row, *cell; count < RTE_DIM(cells) && (cell = strsep(&rest, "|")) != NULL;)
        cells[count++] = trim(cell);
    if (count < 4 || find_prelude(cells[0]) == NULL)
        bad_file("a row is: PRELUDE | ARRIVES | ANSWER | STATE | REMARK");
    snprintf(name, sizeof(name), "%s: %s < %s (%s)", reader.table, cells[0], cells[1], cells[4]);
    name_case(name);
    snprintf(given, sizeof(given), "be %s", cells[0]);
    add_line(&reader.lines, given);
    add_cell(cells[1], "< ", NULL);
    add_cell(cells[2], "> ", "nothing");
    add_line(&reader.lines, "nothing");
    add_cell(cells[3], "state ", NULL);
    run_case();
}

static void begin_prelude(const char *name)
{
    struct prelude *prelude = &reader.preludes[reader.prelude_count++];

    if (reader.prelude_count == PRELUDES_MAX)
        bad_file("too many preludes");
    snprintf(prelude->name, sizeof(prelude->name), "%s", name);
    prelude->lines.count = 0;
}

static void read_line(char *text)
{
    bool indented = isspace((unsigned char)*text);
    char *comment = strchr(text, '#'), *line;

    if (comment != NULL)
        *comment = 0;
    line = trim(text);
    if (*line == 0)
        return;
    if (indented && reader.table[0] != 0) {
        table_row(line);
    } else if (indented && reader.name[0] != 0) {
        add_line(&reader.lines, line);
    } else if (indented && reader.prelude_count > 0) {
        add_line(&reader.preludes[reader.prelude_count - 1].lines, line);
    } else {
        run_case();
        reader.table[0] = 0;
        if (strncmp(line, "case ", 5) == 0)
            name_case(trim(line + 5));
        else if (strncmp(line, "table ", 6) == 0)
            snprintf(reader.table, sizeof(reader.table), "%s", trim(line + 6));
        else if (strncmp(line, "prelude ", 8) == 0)
            begin_prelude(trim(line + 8));
        else
            bad_file("expected \"case\", \"prelude\" or \"table\"");
    }
}

/* Whole, and closed again: the cases' processes would share its place in the file. */
static char *load(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;

    if (file == NULL || getdelim(&text, &size, 0, file) < 0) {
        perror(path);
        exit(2);
    }
    fclose(file);
    return text;
}

static void read_file(const char *path)
{
    char *text = load(path), *rest = text, *line;

    reader.path = reader.file = path;
    if (strrchr(path, '/') != NULL)
        reader.file = strrchr(path, '/') + 1;
    reader.prelude_count = 0;
    for (reader.line = 1; (line = strsep(&rest, "\n")) != NULL; reader.line++)
        read_line(line);
    run_case();
    reader.table[0] = 0;
    free(text);
}

int main(int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "vc:")) >= 0) {
        if (option == 'v')
            reader.verbose = true;
        else if (option == 'c')
            reader.only = optarg;
        else
            return 2;
    }
    test_eal_init();
    for (int i = optind; i < argc; i++)
        read_file(argv[i]);
    printf("%u cases, %u failed\n", reader.run, reader.failed);
    return reader.run == 0 || reader.failed > 0;
}
