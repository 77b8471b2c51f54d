#include "twin.h"

struct service {
    struct weir_scope scope;
    struct weir_send_channel send;
    struct weir_receive_channel receive;
};

static int work(void *arg)
{
    struct service *service = arg;
    int job, rc;
    while ((rc = weir_receive(&service->receive, &job)) == 0) {
        WEIR_TRY(weir_sleep(WEIR_SECONDS(job)));
        say("worker: job %d %.1f", job, now());
    }
    return rc == -ENODATA ? 0 : rc;
}

static int serve(void *arg)
{
    struct service *service = arg;
    struct weir_nursery nursery;
    int rc = weir_open_memory_channel(&service->send, &service->receive, 10, sizeof(int), NULL, NULL);
    WEIR_TRY(rc);
    weir_with_scope (&service->scope, rc) {
        weir_with_nursery (&nursery, rc) {
            weir_start_soon(&nursery, work, service);
            weir_start_soon(&nursery, work, service);
            WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
            weir_started(service);
            rc = weir_sleep_forever();
            say("service: stops %.1f", now());
        }
    }
    say("service: stopped %s %.1f", yes(service->scope.cancelled_caught), now());
    weir_receive_channel_close(&service->receive);
    return rc;
}

static int main_task(void *arg)
{
    static const int jobs[] = {1, 4, 2, 20};
    static struct service service;
    struct weir_nursery nursery;
    struct weir_scope starting;
    int rc = 0;
    weir_with_nursery (&nursery, rc) {
        weir_move_on_after (&starting, WEIR_SECONDS(3), rc)
            rc = weir_start(&nursery, serve, &service, NULL);
        say("main: started %.1f", now());
        for (int i = 0; i < 4 && rc == 0; i++)
            rc = weir_send(&service.send, &jobs[i]);
        WEIR_DO(rc, rc < 0 ? rc : weir_sleep(WEIR_SECONDS(10)));
        weir_scope_cancel(&service.scope);
        say("main: stops %s %.1f", yes(starting.cancel_called), now());
    }
    say("main: done %.1f", now());
    weir_send_channel_close(&service.send);
    return rc;
}

TWIN(main_task)
