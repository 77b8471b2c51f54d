#include "twin.h"

struct pipeline {
    struct weir_send_channel send1, send2;
    struct weir_receive_channel receive1, receive2;
    int messages, taken;
};

static int count(void *arg)
{
    struct pipeline *pipeline = arg;
    int rc = 0;
    for (int i = 0; i < pipeline->messages && rc == 0; i++)
        rc = weir_send(&pipeline->send1, &i);
    if (rc == 0)
        say("count: sent all");
    else
        say("count: %s", name(rc));
    weir_send_channel_close(&pipeline->send1);
    return rc == -EPIPE ? 0 : rc;
}

static int square(void *arg)
{
    struct pipeline *pipeline = arg;
    int i, rc;
    while ((rc = weir_receive(&pipeline->receive1, &i)) == 0) {
        i *= i;
        if ((rc = weir_send(&pipeline->send2, &i)) < 0)
            break;
    }
    say("square: %s %.1f", rc == -ENODATA ? "end" : name(rc), now());
    weir_receive_channel_close(&pipeline->receive1);
    weir_send_channel_close(&pipeline->send2);
    return rc == -ENODATA || rc == -EPIPE ? 0 : rc;
}

static int add(void *arg)
{
    struct pipeline *pipeline = arg;
    int i, rc, total = 0;
    while ((rc = weir_receive(&pipeline->receive2, &i)) == 0) {
        if ((rc = weir_sleep(WEIR_SECONDS(1))) < 0)
            break;
        total += i;
        if (--pipeline->taken == 0)
            break;
    }
    weir_receive_channel_close(&pipeline->receive2);
    say("add: %d %.1f", total, now());
    return rc == -ENODATA ? 0 : rc;
}

static int run_pipeline(int messages, int taken, size_t capacity)
{
    struct pipeline p = {.messages = messages, .taken = taken};
    struct weir_nursery nursery;
    int rc = 0;
    WEIR_TRY(weir_open_memory_channel(&p.send1, &p.receive1, capacity, sizeof(int), NULL, NULL));
    WEIR_TRY(weir_open_memory_channel(&p.send2, &p.receive2, capacity, sizeof(int), NULL, NULL));
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, count, &p);
        weir_start_soon(&nursery, square, &p);
        weir_start_soon(&nursery, add, &p);
    }
    return rc;
}

static int main_task(void *arg)
{
    for (size_t capacity = 0; capacity <= 2; capacity += 2) {
        WEIR_TRY(run_pipeline(10, 1000, capacity));
        WEIR_TRY(run_pipeline(100, 5, capacity));
    }
    return 0;
}

TWIN(main_task)
