/* Flow control, as the tutorial has it of its echo client: one that sends all before it receives any, a server that
 * alternates, and a network with some room. Both wait to send, for ever. */
#include "flow.h"

enum { ALL = 10, ROOM = 2 };

static int client(void *arg)
{
    for (int i = 0; i < ALL; i++) {
        WEIR_TRY(weir_send(&to_server.send, &i));
        say("client: sent %d", i);
    }
    return receive_back(ALL);
}

FLOW_TWIN(ROOM, client)
