#include "twin.h"
#include <weir/testing.h>

static struct weir_sequencer sequence;

static int worker(void *arg)
{
    const unsigned *position = arg;
    int rc = 0;
    weir_with_turn(&sequence, position[0], rc)
    {
        say("pieces: %u", position[0]);
        WEIR_DO(rc, weir_checkpoint());
        say("pieces: %u ends", position[0]);
    }
    WEIR_TRY(rc);
    weir_with_turn(&sequence, position[1], rc) say("pieces: %u", position[1]);
    return rc;
}

static int main_task(void *arg)
{
    static unsigned positions[][2] = {{0, 4}, {2, 5}, {1, 3}};
    struct weir_nursery nursery;
    int rc = 0;
    weir_sequencer_init(&sequence);
    weir_with_nursery (&nursery, rc)
        for (int i = 0; i < 3; i++)
            weir_start_soon(&nursery, worker, positions[i]);
    return rc;
}

TWIN(main_task)
