/* Plugins: where they are, and taking one in. */
#include "plugin.h"
#include <dlfcn.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULE "weir-app-%s.so"

/* ---- places, in the order in which they are searched ---- */

static size_t add(char *list, size_t size, size_t length, const char *place)
{
    int added = snprintf(list + length, size - length, "%s%s", length > 0 ? ":" : "", place);

    return length + (size_t)added < size ? length + (size_t)added : length;
}

/* Directories, with a colon in between; each may be a glob pattern. */
static void list_places(char *list, size_t size)
{
    const char *named = getenv("WEIR_PLUGIN_PATH");
    char self[PATH_MAX], beside[PATH_MAX + 4];
    ssize_t read = readlink("/proc/self/exe", self, sizeof(self) - 1);
    size_t length = 0;

    list[0] = '\0';
    if (named != NULL && named[0] != '\0')
        length = add(list, size, length, named);
    if (read > 0) { /* in a build tree the apps' directories are beside the launcher */
        self[read] = '\0';
        snprintf(beside, sizeof(beside), "%s/*", dirname(self));
        length = add(list, size, length, beside);
    }
    add(list, size, length, WEIR_PLUGIN_DIRECTORY);
}

/* Finds the modules of this name ("*": all) in all places; the caller frees the answer with globfree. */
static void find(const char *name, glob_t *found)
{
    char list[4096], pattern[PATH_MAX], *rest = list, *place;
    int flags = 0;

    memset(found, 0, sizeof(*found));
    list_places(list, sizeof(list));
    while ((place = strsep(&rest, ":")) != NULL) {
        if (place[0] == '\0')
            continue;
        snprintf(pattern, sizeof(pattern), "%s/" MODULE, place, name);
        if (glob(pattern, flags, NULL, found) == 0)
            flags = GLOB_APPEND;
    }
}

void plugin_print_places(FILE *out)
{
    char list[4096], *rest = list, *place;

    list_places(list, sizeof(list));
    while ((place = strsep(&rest, ":")) != NULL)
        if (place[0] != '\0')
            fprintf(out, "  %s/" MODULE "\n", place, "NAME");
}

/* ---- loading ---- */

static const struct weir_app *load(const char *path, char *error, size_t size)
{
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct weir_app *app;

    if (module == NULL) {
        const char *why = dlerror();

        /* The loader often begins with the path. */
        if (strncmp(why, path, strlen(path)) == 0 && why[strlen(path)] == ':')
            why += strlen(path) + 2;
        snprintf(error, size, "%s: cannot be loaded: %s", path, why);
        return NULL;
    }
    app = dlsym(module, "weir_app");
    if (app == NULL) {
        snprintf(error, size, "%s: is no app of weir's: it has no WEIR_APP(...) in it", path);
    } else if (app->abi != WEIR_APP_ABI) {
        snprintf(error, size,
                 "%s: was built for version %u of the plugin interface, and this is version %u: rebuild it", path,
                 app->abi, WEIR_APP_ABI);
    } else if (app->name == NULL || app->main == NULL) {
        snprintf(error, size, "%s: its WEIR_APP(...) lacks .name or .main", path);
    } else {
        return app;
    }
    dlclose(module);
    return NULL;
}

const struct weir_app *plugin_load(const char *name, char *error, size_t size)
{
    const struct weir_app *app;
    glob_t found;

    if (strchr(name, '/') != NULL)
        return load(name, error, size);
    if (name[strcspn(name, "*?[")] != '\0' || name[0] == '\0')
        found.gl_pathc = 0; /* not a pattern of ours */
    else
        find(name, &found);
    if (found.gl_pathc == 0) {
        snprintf(error, size, "there is no app '%s': `weir list` shows which there are", name);
        return NULL;
    }
    app = load(found.gl_pathv[0], error, size);
    globfree(&found);
    return app;
}

/* The same app may lie in two places; the first one counts. */
static bool seen_before(const glob_t *found, size_t index)
{
    const char *name = strrchr(found->gl_pathv[index], '/');

    for (size_t i = 0; i < index; i++)
        if (strcmp(strrchr(found->gl_pathv[i], '/'), name) == 0)
            return true;
    return false;
}

unsigned plugin_list(FILE *out)
{
    unsigned count = 0;
    char error[PATH_MAX + 256];
    glob_t found;

    find("*", &found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const struct weir_app *app;

        if (seen_before(&found, i))
            continue;
        app = load(found.gl_pathv[i], error, sizeof(error));
        if (app == NULL) {
            fprintf(stderr, "weir list: %s\n", error);
            continue;
        }
        fprintf(out, "%-14s %s\n", app->name, app->summary != NULL ? app->summary : "");
        count++;
    }
    globfree(&found);
    return count;
}
