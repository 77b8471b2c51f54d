/* What the files of core/async share. */
#ifndef WEIR_ASYNC_PRIVATE_H
#define WEIR_ASYNC_PRIVATE_H

#include <weir/async.h>

/* future.c */
void weir_future_settle(struct weir_future *future, int code, void *value);
int weir_future_park(struct weir_future *future, void **value, const struct weir_wait *wait);
void weir_future_describe(FILE *out, const struct weir_task *task, const void *arg);
struct weir_reason weir_reason_of_caller(const char *what, const struct weir_site *where);
void weir_error_was_read(struct weir_error *group); /* its code is known to the caller; frees it */

/* store.c: a queue's messages, in their order */
int weir_store_open(struct weir_queue *queue);
int weir_store_push(struct weir_queue *queue, const void *message); /* -ENOMEM */
void weir_store_pop(struct weir_queue *queue, void *message);       /* there is one */
void weir_store_destroy(struct weir_queue *queue);                  /* there is one; nobody may push meanwhile */

#endif
