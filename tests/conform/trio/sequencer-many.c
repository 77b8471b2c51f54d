#include "twin.h"
#include <weir/testing.h>

enum { TASKS = 5, PIECES = 8 };

static struct weir_sequencer sequence;

static int worker(void *arg)
{
    unsigned number = *(unsigned *)arg;
    int rc = 0;
    for (unsigned i = 0; i < PIECES; i++) {
        unsigned position = i * TASKS + number * (i % 4 + 1) % TASKS;
        weir_with_turn(&sequence, position, rc)
        {
            say("pieces: %u by %u", position, number);
            if (position % 3 == 0)
                WEIR_DO(rc, weir_sleep(WEIR_SECONDS(1)));
            say("pieces: %u ends %.1f", position, now());
        }
        WEIR_TRY(rc);
    }
    say("worker %u: done", number);
    return 0;
}

static int all_pieces(void)
{
    static unsigned numbers[TASKS] = {0, 1, 2, 3, 4};
    struct weir_nursery nursery;
    int rc = 0;
    weir_sequencer_init(&sequence);
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < TASKS; i++)
            weir_start_soon(&nursery, worker, &numbers[i]);
    return rc;
}

struct piece {
    const char *title;
    unsigned position;
};

static int run_piece(void *arg)
{
    struct piece *piece = arg;
    int rc = 0;
    weir_with_turn(&sequence, piece->position, rc) say("%s: runs", piece->title);
    if (rc == -EPIPE || rc == -EEXIST || rc == -ECANCELED)
        say("%s: broken or taken", piece->title);
    return 0;
}

static int broken(void)
{
    static struct piece first = {"first", 0}, again = {"again", 0}, second = {"second", 1}, third = {"third", 2},
                        fourth = {"fourth", 3}, fifth = {"fifth", 4}, fifth_again = {"fifth again", 4},
                        sixth = {"sixth", 5};
    struct weir_nursery nursery, inner;
    struct weir_scope scope;
    int rc = 0;
    weir_sequencer_init(&sequence);
    run_piece(&first);
    run_piece(&again);
    run_piece(&second);
    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, run_piece, &fourth);
        weir_start_soon(&nursery, run_piece, &fifth);
        WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
        run_piece(&fifth_again);
        weir_with_scope (&scope, rc) {
            weir_with_nursery (&inner, rc) {
                weir_start_soon(&inner, run_piece, &sixth);
                WEIR_DO(rc, weir_wait_all_tasks_blocked(0));
                weir_scope_cancel(&scope);
            }
        }
    }
    run_piece(&third);
    return rc;
}

static int main_task(void *arg)
{
    WEIR_TRY(all_pieces());
    return broken();
}

TWIN(main_task)
