/* The tree of each loop that asked for it, when a signal comes. The handler only hands jobs to the loops. */
#include <pthread.h>
#include <signal.h>
#include <weir/debug.h>

enum { LOOPS_MAX = 64, SIGNALS_MAX = 65 };

/* A loop that has asked. */
struct asker {
    int number; /* its signal; 0: free */
    struct weir_door door;
    struct weir_job job;
    void (*also)(FILE *out, void *arg); /* or NULL */
    void *also_arg;
};

/* Signals are the process's. Slots are taken and freed under the lock, which handlers do not need. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct asker askers[LOOPS_MAX];
static struct sigaction before[SIGNALS_MAX];
static unsigned asked[SIGNALS_MAX]; /* by how many */

static void print_tree(struct weir_job *job)
{
    struct weir_loop_statistics statistics;
    weir_current_statistics(&statistics);
    fprintf(stderr, "weir: the %u task%s of loop %u:\n", statistics.tasks_living,
            statistics.tasks_living == 1 ? "" : "s", weir_loop_number(weir_current_loop()));
    weir_print_tree(stderr);
    struct asker *asker = WEIR_CONTAINER_OF(job, struct asker, job);
    if (asker->also != NULL)
        asker->also(stderr, asker->also_arg);
}

static void on_signal(int number)
{
    int saved = errno;
    for (int i = 0; i < LOOPS_MAX; i++)
        if (__atomic_load_n(&askers[i].number, __ATOMIC_ACQUIRE) == number) {
            int queued = weir_door_run_soon(&askers[i].door, &askers[i].job);
            (void)queued; /* it is printed soon already, or the loop has gone */
        }
    errno = saved;
}

static struct asker *free_slot(void)
{
    for (int i = 0; i < LOOPS_MAX; i++)
        if (askers[i].number == 0)
            return &askers[i];
    return NULL;
}

static int take_signal(int number)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    if (asked[number] == 0 && sigaction(number, &action, &before[number]) < 0)
        return -errno;
    asked[number]++;
    return 0;
}

static void give_signal_back(int number)
{
    struct sigaction found;
    if (--asked[number] > 0)
        return;
    sigaction(number, NULL, &found);
    if (found.sa_handler == on_signal) /* else somebody has taken it since */
        sigaction(number, &before[number], NULL);
}

/* Each run that asked keeps its slot; its last job has run by now. */
static void stop_asking(void *state)
{
    struct asker *asker = *(struct asker **)state;
    if (asker == NULL)
        return;
    pthread_mutex_lock(&lock);
    give_signal_back(asker->number);
    weir_door_close(&asker->door);
    __atomic_store_n(&asker->number, 0, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&lock);
}

static const struct weir_run_state asking = {"tree on signal", sizeof(struct asker *), NULL, stop_asking};

static int ask(struct asker **slot, int number)
{
    struct asker *asker = free_slot();
    if (asker == NULL)
        return -ENOMEM;
    struct weir_token *token = weir_current_token();
    asker->job = (struct weir_job){.fn = print_tree};
    asker->also = NULL;
    weir_door_open(&asker->door, token);
    weir_token_release(token);
    __atomic_store_n(&asker->number, number, __ATOMIC_RELEASE);
    *slot = asker;
    return 0;
}

int weir_tree_on_signal(int number)
{
    void *state;
    WEIR_TRY(weir_run_state_get(&asking, &state));
    if (*(struct asker **)state != NULL)
        return -EALREADY;
    if (number <= 0 || number >= SIGNALS_MAX)
        return -EINVAL;
    pthread_mutex_lock(&lock);
    int rc = take_signal(number);
    if (rc == 0) {
        rc = ask(state, number);
        if (rc < 0)
            give_signal_back(number);
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

int weir_tree_on_signal_also(void (*print)(FILE *out, void *arg), void *arg)
{
    struct asker **asker = weir_run_state_find(&asking);
    if (asker == NULL || *asker == NULL)
        return -EINVAL;
    (*asker)->also = print;
    (*asker)->also_arg = arg;
    return 0;
}
