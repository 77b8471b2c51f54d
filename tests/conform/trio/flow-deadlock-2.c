/* Flow control once more: a client that alternates as the server does, over a network without any room. All goes well
 * as long as what it sends fits into one piece. */
#include "flow.h"

static int client(void *arg)
{
    static const int pieces[] = {1, 1, 3};
    for (int round = 0, next = 0; round < 3; round++) {
        for (int i = 0; i < pieces[round]; i++, next++) {
            WEIR_TRY(weir_send(&to_server.send, &next));
            say("client: sent %d", next);
        }
        WEIR_TRY(receive_back(pieces[round]));
    }
    return 0;
}

FLOW_TWIN(0, client)
