/* The pool: threads that wait for work. It is unbounded; who asks for threads is limited. */
#include "thread_private.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct worker {
    struct weir_list link; /* among the idle ones */
    pthread_t thread;
    pthread_cond_t called;
    struct weir_work *work; /* NULL: none yet */
    bool dismissed;         /* somebody waits for it to end */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct weir_list idle = {&idle, &idle}; /* the last one first: so those too many stay idle, and end */
static unsigned users;
static cpu_set_t cpus;
static bool cpus_set;
weir_time weir_pool_patience = WEIR_SECONDS(10);

void weir_thread_pool_set_cpus(const void *cpu_set, size_t size)
{
    pthread_mutex_lock(&lock);
    cpus_set = cpu_set != NULL;
    CPU_ZERO(&cpus);
    if (cpus_set)
        memcpy(&cpus, cpu_set, size < sizeof cpus ? size : sizeof cpus);
    pthread_mutex_unlock(&lock);
}

/* ---- in the thread; `lock` is held where a worker's state is looked at ---- */

static struct timespec in(weir_time delay)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    delay += at.tv_nsec;
    at.tv_sec += delay / 1000000000;
    at.tv_nsec = delay % 1000000000;
    return at;
}

/* Returns false if the worker shall end: it is not among the idle ones then. */
static bool wait_for_work(struct worker *worker)
{
    struct timespec until = in(weir_pool_patience);
    int rc = 0;
    while (worker->work == NULL && !worker->dismissed && rc == 0 && users > 0)
        rc = pthread_cond_clockwait(&worker->called, &lock, CLOCK_MONOTONIC, &until);
    if (worker->work != NULL)
        return true;
    weir_list_remove(&worker->link);
    return false;
}

static void do_work(struct worker *worker)
{
    struct weir_work *work = worker->work;
    pthread_mutex_unlock(&lock);
    work->run(work);
    pthread_mutex_lock(&lock);
    worker->work = NULL;
    weir_list_append(idle.next, &worker->link); /* in front */
    pthread_mutex_unlock(&lock);
    work->deliver(work);
    pthread_mutex_lock(&lock);
}

static void *work_on(void *arg)
{
    struct worker *worker = arg;
    pthread_mutex_lock(&lock);
    while (wait_for_work(worker))
        do_work(worker);
    bool awaited = worker->dismissed;
    pthread_mutex_unlock(&lock);
    if (!awaited) {
        pthread_detach(pthread_self());
        pthread_cond_destroy(&worker->called);
        free(worker);
    }
    return NULL;
}

/* ---- a new one ---- */

/* All signals are for others; but those that it raises itself, by a fault, must find their handlers. */
static int set_attributes(pthread_attr_t *attributes)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    sigset_t blocked;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        sigdelset(&blocked, own[i]);
    int rc = pthread_attr_setsigmask_np(attributes, &blocked);
    if (rc == 0 && cpus_set)
        rc = pthread_attr_setaffinity_np(attributes, sizeof cpus, &cpus);
    return -rc;
}

static int start_thread(struct worker *worker)
{
    pthread_attr_t attributes;
    int rc = -pthread_attr_init(&attributes);
    if (rc < 0)
        return rc;
    rc = set_attributes(&attributes);
    if (rc == 0)
        rc = -pthread_create(&worker->thread, &attributes, work_on, worker);
    if (rc == 0)
        pthread_setname_np(worker->thread, "weir-pool");
    pthread_attr_destroy(&attributes);
    return rc;
}

static int add_worker(struct weir_work *work)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return -ENOMEM;
    weir_list_init(&worker->link);
    pthread_cond_init(&worker->called, NULL);
    worker->work = work;
    int rc = start_thread(worker);
    if (rc < 0) {
        pthread_cond_destroy(&worker->called);
        free(worker);
    }
    return rc;
}

int weir_pool_start(struct weir_work *work)
{
    int rc = 0;
    pthread_mutex_lock(&lock);
    struct worker *worker = WEIR_LIST_FIRST(&idle, struct worker, link);
    if (worker != NULL) {
        weir_list_remove(&worker->link);
        worker->work = work;
        pthread_cond_signal(&worker->called);
    } else {
        rc = add_worker(work); /* it waits for the lock until we are done */
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

/* ---- users ---- */

void weir_pool_join(void)
{
    pthread_mutex_lock(&lock);
    users++;
    pthread_mutex_unlock(&lock);
}

/* One that is idle may be in the middle of `deliver` yet: it ends right after. */
void weir_pool_leave(void)
{
    struct worker *worker;
    pthread_mutex_lock(&lock);
    WEIR_ASSERT(users > 0);
    users--;
    while (users == 0 && (worker = WEIR_LIST_FIRST(&idle, struct worker, link)) != NULL) {
        weir_list_remove(&worker->link);
        worker->dismissed = true;
        pthread_cond_signal(&worker->called);
        pthread_mutex_unlock(&lock);
        pthread_join(worker->thread, NULL);
        pthread_cond_destroy(&worker->called);
        free(worker);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
}

unsigned weir_pool_idle(void)
{
    unsigned count = 0;
    pthread_mutex_lock(&lock);
    for (const struct weir_list *at = idle.next; at != &idle; at = at->next)
        count++;
    pthread_mutex_unlock(&lock);
    return count;
}
