/* Plugins: where they are, and taking one in. */
#ifndef LAUNCHER_PLUGIN_H
#define LAUNCHER_PLUGIN_H

#include <weir/app.h>

/* Loads an app by its name, or by the path of its module (anything with a slash in it). Never unloaded.
 * Returns it, or NULL with one line in `error`. */
const struct weir_app *plugin_load(const char *name, char *error, size_t size);

/* Prints all apps that are found, with their summaries, and a line on stderr for each module that is none.
 * Returns how many apps it found. */
unsigned plugin_list(FILE *out);

/* Prints where plugins are looked for, one place a line. */
void plugin_print_places(FILE *out);

#endif
