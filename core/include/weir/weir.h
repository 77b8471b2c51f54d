/* All of core's public face. */
#ifndef WEIR_H
#define WEIR_H

#include <weir/async.h>
#include <weir/base.h>
#include <weir/clock.h>
#include <weir/debug.h>
#include <weir/file.h>
#include <weir/stream.h>
#include <weir/sync.h>
#include <weir/system.h>
#include <weir/task.h>
#include <weir/thread.h>

#endif
