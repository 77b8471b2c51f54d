/* What a program says on stderr, kept to be looked at. */
#ifndef TEST_SUPPORT_KEPT_STDERR_H
#define TEST_SUPPORT_KEPT_STDERR_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static FILE *kept_stderr;

/* From here on; what was kept before is forgotten. */
static void keep_stderr(void)
{
    fflush(stderr);
    if (kept_stderr != NULL)
        fclose(kept_stderr);
    kept_stderr = tmpfile();
    if (kept_stderr == NULL || fcntl(fileno(kept_stderr), F_SETFL, O_APPEND) < 0 ||
        dup2(fileno(kept_stderr), STDERR_FILENO) < 0)
        abort();
}

/* All of it so far. */
static const char *stderr_kept(void)
{
    static char text[65536];
    fflush(stderr);
    ssize_t size = pread(fileno(kept_stderr), text, sizeof text - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    return text;
}

#endif
