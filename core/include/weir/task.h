/* Tasks: the run loop, waiting, cancel scopes, nurseries, and what belongs to them, each in a header of its own.
 *
 * A task is a function with a stack of its own. Tasks of one loop take turns: between two checkpoints a task is alone.
 * Each function says whether it is a checkpoint: *always* (it may switch to other tasks, and it answers -ECANCELED in a
 * cancelled scope, on its fast path too) or *never*. Functions return >= 0, or -errno; weir_error_name() names them. */
#ifndef WEIR_TASK_H
#define WEIR_TASK_H

#include <weir/instrument.h>
#include <weir/local.h>
#include <weir/loop.h>
#include <weir/nursery.h>
#include <weir/scope.h>
#include <weir/token.h>
#include <weir/tree.h>
#include <weir/trust.h>
#include <weir/wait.h>

#endif
