/* asyncio's tools, under structured concurrency, each in a header of its own: futures, task handles, several at once,
 * queues.
 *
 * Nothing here runs outside a nursery. Of asyncio's tools that are not here: a TaskGroup is a nursery, timeout() and
 * timeout_at() are weir_fail_after and weir_fail_at, reschedule() is weir_scope_set_deadline, current_task() is
 * weir_current_task and all_tasks() weir_next_task (weir/task.h). There is no shield(): waiting for a handle never
 * cancels its task, which is what that is for, and who must not be cancelled runs in a shielded scope. There is no
 * uncancel(): a cancelled scope stays cancelled.
 *
 * Timeouts are scopes, not arguments: put a weir_move_on_after or a weir_fail_after around any of these calls.
 *
 * A call that waits answers -ECANCELED only when whoever called it is being cancelled, never because what it waited for
 * was: that is -EOWNERDEAD. (asyncio raises CancelledError for both, and who catches it cannot know.) */
#ifndef WEIR_ASYNC_H
#define WEIR_ASYNC_H

#include <weir/future.h>
#include <weir/gather.h>
#include <weir/handle.h>
#include <weir/queue.h>

#endif
