/* Error codes in words, and error groups as a tree. */
#include <string.h>
#include <weir/base.h>

static const struct {
    int code;
    const char *name, *text;
} known[] = {
    {0, "ok", "no error"},
    {-ECANCELED, "Cancelled", "cancelled by a scope around it"},
    {-ETIMEDOUT, "TooSlowError", "took longer than its deadline allows"},
    {-EAGAIN, "WouldBlock", "would have to wait"},
    {-ENODATA, "EndOfChannel", "every sender has closed"},
    {-EPIPE, "BrokenResourceError", "the other end is gone"},
    {-ECONNRESET, "BrokenResourceError (reset)", "the peer reset the connection"},
    {-EBADF, "ClosedResourceError", "used after it was closed here"},
    {-EBUSY, "BusyResourceError", "another task is using it"},
    {-EOWNERDEAD, "CancelledError", "what was waited for has been cancelled"}, /* asyncio's name */
    {-EREMOTEIO, "CalledProcessError", "a process ended with a status other than 0, or by a signal"},
};

const char *weir_error_name(int code)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].code == code)
            return known[i].name;
    const char *name = strerrorname_np(-code);
    return name != NULL ? name : "unknown error";
}

const char *weir_error_text(int code)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].code == code)
            return known[i].text;
    const char *text = strerrordesc_np(-code);
    return text != NULL ? text : "not a code of errno";
}

/* "a child failed: EIO (by fetch on loop 2; nursery in serve, s.c:40)" */
void weir_reason_print(FILE *out, const struct weir_reason *reason)
{
    fputs(reason->what, out);
    if (reason->who != NULL && reason->code < 0)
        fprintf(out, ": %s", weir_error_name(reason->code));
    if (reason->who == NULL && reason->where == NULL)
        return;
    fputs(" (", out);
    if (reason->who != NULL)
        fprintf(out, "by %s", reason->who->name);
    if (reason->who != NULL && reason->loop != 0)
        fprintf(out, " on loop %u", reason->loop);
    if (reason->where != NULL)
        fprintf(out, "%s%s in %s, %s:%d", reason->who != NULL ? "; " : "", reason->where->name, reason->where->function,
                reason->where->file, reason->where->line);
    fputc(')', out);
}

static void print_why(FILE *out, const struct weir_error *error)
{
    if (error->reason.what == NULL)
        return;
    bool led_to_it = error->code == -ETIMEDOUT || error->code == -ECANCELED || error->code == -ESHUTDOWN;
    fputs(led_to_it ? "; " : "; while cancelled: ", out);
    weir_reason_print(out, &error->reason);
}

static void print_at(FILE *out, const struct weir_error *error, int depth)
{
    for (; error != NULL; error = error->next) {
        fprintf(out, "%*s%s: %s (%d): %s", depth * 2, "", error->site->name, weir_error_name(error->code), error->code,
                weir_error_text(error->code));
        print_why(out, error);
        fprintf(out, "; started in %s, %s:%d\n", error->site->function, error->site->file, error->site->line);
        print_at(out, error->children, depth + 1);
    }
}

void weir_error_print(FILE *out, const struct weir_error *group)
{
    print_at(out, group, 0);
}
