/* Names of hosts: asked for in a thread, which may be left alone with its question. */
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <weir/file.h>

/* What each run keeps: who answers. */
struct resolver {
    weir_hostname_resolver *resolve;
};

static int open_resolver(void *state)
{
    *(struct resolver *)state = (struct resolver){getaddrinfo};
    return 0;
}

static const struct weir_run_state resolvers = {"resolver", sizeof(struct resolver), open_resolver, NULL};

int weir_set_custom_hostname_resolver(weir_hostname_resolver *resolve)
{
    void *state;
    WEIR_TRY(weir_run_state_get(&resolvers, &state));
    ((struct resolver *)state)->resolve = resolve != NULL ? resolve : getaddrinfo;
    return 0;
}

/* A question with all that it needs: who asked may be gone before the answer comes. */
struct question {
    weir_hostname_resolver *resolve;
    const char *node, *service; /* copies, behind this, or NULL */
    struct addrinfo hints, *result;
    bool hinted;
    char text[];
};

static int error_of(int code)
{
    switch (code) {
    case 0:
        return 0;
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
        return -ENOENT;
    case EAI_AGAIN:
        return -EAGAIN;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_SERVICE:
        return -EPROTONOSUPPORT;
    case EAI_FAMILY:
        return -EAFNOSUPPORT;
    case EAI_SOCKTYPE:
        return -ESOCKTNOSUPPORT;
    case EAI_BADFLAGS:
        return -EINVAL;
    case EAI_SYSTEM:
        return errno != 0 ? -errno : -EIO;
    default:
        return -EIO;
    }
}

static int ask(void *arg)
{
    struct question *question = arg;
    return error_of(question->resolve(question->node, question->service, question->hinted ? &question->hints : NULL,
                                      &question->result));
}

static void forget(int result, void *arg)
{
    struct question *question = arg;
    if (result == 0)
        freeaddrinfo(question->result);
    free(question);
}

static const char *keep(char **at, const char *text)
{
    if (text == NULL)
        return NULL;
    char *kept = *at;
    *at = stpcpy(kept, text) + 1;
    return kept;
}

static struct question *make(const char *node, const char *service, const struct addrinfo *hints)
{
    size_t length = (node != NULL ? strlen(node) + 1 : 0) + (service != NULL ? strlen(service) + 1 : 0);
    struct question *question = malloc(sizeof *question + length);
    if (question == NULL)
        return NULL;
    char *at = question->text;
    *question = (struct question){.hinted = hints != NULL};
    question->node = keep(&at, node);
    question->service = keep(&at, service);
    if (hints != NULL)
        question->hints = *hints;
    return question;
}

/* What needs nobody to be asked. Returns false if it is not of that kind. */
static bool is_numeric(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result,
                       int *rc)
{
    struct addrinfo numeric = {0};
    if (hints != NULL)
        numeric = *hints;
    numeric.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
    int code = getaddrinfo(node, service, &numeric, result);
    *rc = error_of(code);
    return code != EAI_NONAME && code != EAI_SERVICE;
}

static int ask_in_thread(struct question *question, struct addrinfo **result)
{
    bool left_alone = false;
    struct weir_to_thread_options options = {
        .abandon_on_cancel = true, .abandoned = forget, .was_abandoned = &left_alone};
    void *state;
    int rc = weir_run_state_get(&resolvers, &state);
    if (rc == 0) {
        question->resolve = ((struct resolver *)state)->resolve;
        rc = weir_to_thread_run_sync(ask, question, &options);
    }
    if (left_alone)
        return rc;
    if (rc == 0)
        *result = question->result;
    free(question);
    return rc;
}

int weir_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    int rc;
    WEIR_TRY(weir_checkpoint_if_cancelled());
    if (is_numeric(node, service, hints, result, &rc)) {
        weir_fast_path_done();
        return rc;
    }
    struct question *question = make(node, service, hints);
    return question != NULL ? ask_in_thread(question, result) : -ENOMEM;
}

void weir_freeaddrinfo(struct addrinfo *result)
{
    if (result != NULL)
        freeaddrinfo(result);
}
