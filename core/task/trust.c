/* Errors in trust: kept for a reader, and not lost if none comes. The nursery holds them, not the reader: what is to
 * read one may be forgotten, or be gone, before the nursery ends. */
#include "task_private.h"

static void hold(struct weir_nursery *nursery, struct weir_error *error, struct weir_trust *trust)
{
    error->nursery = nursery->serial;
    error->next = nursery->trust;
    error->trusted = &nursery->trust;
    if (error->next != NULL)
        error->next->trusted = &error->next;
    nursery->trust = error;
    *trust = (struct weir_trust){error, nursery->serial};
}

static void let_go(struct weir_error *error)
{
    *error->trusted = error->next;
    if (error->next != NULL)
        error->next->trusted = error->trusted;
    error->next = NULL;
    error->trusted = NULL;
}

void weir_trust_end(struct weir_nursery *nursery)
{
    struct weir_error *oldest_first = NULL, *error;
    while ((error = nursery->trust) != NULL) {
        let_go(error);
        error->next = oldest_first;
        oldest_first = error;
    }
    while ((error = oldest_first) != NULL) {
        oldest_first = error->next;
        error->next = NULL;
        weir_nursery_gather(nursery, error);
    }
}

int weir_current_outcome(int status)
{
    const struct weir_task *self = weir_loop_->current;
    int left = self->unread != NULL ? self->unread->code : self->unrecorded;
    return left != 0 && (status >= 0 || status == -ECANCELED) ? left : status;
}

int weir_trust_outcome(struct weir_trust *trust, int status)
{
    struct weir_loop *loop = weir_loop_;
    struct weir_task *self = loop->current;
    struct weir_error *spare = weir_error_take(loop); /* it has not ended yet, and may yet fail */
    if (spare == NULL)
        return status;
    struct weir_error *error = weir_task_record(self, &status);
    if (error == NULL) {
        weir_error_give(loop, spare);
        return status;
    }
    self->record = spare;
    hold(self->nursery, error, trust);
    return self->cancelled_alongside && (self->scope->effectively_cancelled || self->felt_outside) ? -ECANCELED : 0;
}

void weir_trust_error(struct weir_trust *trust, int code, const struct weir_site *site)
{
    struct weir_loop *loop = weir_loop_;
    struct weir_error *error = weir_error_take(loop);
    if (error == NULL) {
        weir_log(WEIR_LOG_ERROR, "no record is left to keep an error: %s: %s (%s:%d)", site->name,
                 weir_error_name(code), site->file, site->line);
        if (loop->root.code == 0)
            loop->root.code = code;
        return;
    }
    loop->errors_held++;
    *error = (struct weir_error){.code = code, .site = site};
    hold(&loop->root, error, trust);
}

struct weir_error *weir_trust_take(struct weir_trust *trust)
{
    struct weir_error *error = trust->error;
    trust->error = NULL;
    /* Records last as long as the loop, and a nursery's number is never given again: an old one can be told. */
    if (error == NULL || error->trusted == NULL || error->nursery != trust->nursery)
        return NULL;
    let_go(error);
    return error;
}
