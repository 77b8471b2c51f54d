/* How much of a path one connection makes use of, in virtual time: the same on every machine. The table is kept in
 * throughput.snapshot, so that a change that makes the stack slower shows. */
#include "begin.h"
#include "world.h"
#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PORT = 7, SEEDS = 3, CONTROLLERS = 2 };

/* Each cell is the mean of a few seeds. What changes the order of two packets changes the seeds' luck, too. */
#define SLOWER_CELL 0.75 /* of what the snapshot says: one cell is slower         */
#define SLOWER_ALL 0.95  /* the geometric mean of all cells' ratios is            */
#define BYTES_MOST 4000000u
#define TIME_MOST WEIR_SECONDS(20)

static const struct path {
    double rate; /* Mbit/s */
    unsigned rtt_ms;
    double loss, reorder; /* each way */
} paths[] = {
    {10, 2, 0},
    {10, 2, 0.01},
    {10, 2, 0.05},
    {10, 20, 0},
    {10, 20, 0.001},
    {10, 20, 0.01},
    {10, 20, 0.1},
    {10, 100, 0},
    {10, 100, 0.01},
    {10, 100, 0.1},
    {100, 2, 0},
    {100, 2, 0.01},
    {100, 2, 0.1},
    {100, 20, 0},
    {100, 20, 0.001},
    {100, 20, 0.01},
    {100, 20, 0.05},
    {100, 100, 0},
    {100, 100, 0.001},
    {100, 100, 0.01},
    {1000, 2, 0},
    {1000, 2, 0.01},
    {1000, 20, 0},
    {1000, 20, 0.001},
    {1000, 20, 0.01},
    {1000, 100, 0},
    {10, 20, 0, 0.05},
    {100, 20, 0, 0.05},
    {100, 20, 0.001, 0.05},
    {100, 20, 0.01, 0.05},
    {100, 100, 0, 0.01},
};
enum { PATHS = sizeof paths / sizeof paths[0] };

struct measurement {
    struct world world;
    const struct path *path;
    const struct weir_tcp_congestion *congestion;
    uint64_t received;
    double goodput; /* Mbit/s */
};

static struct measurement *measurement_of(struct world *world)
{
    return WEIR_CONTAINER_OF(world, struct measurement, world);
}

/* ---- one transfer ---- */

/* The bottleneck's queue holds what the path does, as routers were told to; no less than a burst of the first window.
 */
static void prepare(struct world *world)
{
    const struct measurement *self = measurement_of(world);
    double rate = self->path->rate * 1e6, seconds = self->path->rtt_ms / 1e3;

    world->fault = (struct weir_fault){.loss = self->path->loss,
                                       .reorder = self->path->reorder,
                                       .delay = WEIR_MICROSECONDS(500) * self->path->rtt_ms,
                                       .bits_per_second = (uint64_t)rate,
                                       .queue = (unsigned)fmax(rate * seconds / 8 / 1500, 20)};
    world->options.congestion = self->congestion;
    world->options.receive_buffer = world->options.send_buffer = 1 << 22;
}

static int drain(struct weir_stream *stream, void *arg)
{
    struct measurement *self = arg;
    struct rte_mbuf *packet;
    int n;

    while ((n = weir_stream_receive(stream, &packet)) > 0) {
        self->received += (uint64_t)n;
        rte_pktmbuf_free(packet);
    }
    return n;
}

static int serve(void *arg)
{
    struct measurement *self = arg;

    return weir_serve_tcp(self->world.stacks[1], PORT, drain, self);
}

static int fill(struct measurement *self, struct weir_stream *stream)
{
    struct rte_mbuf *packet;

    for (uint32_t sent = 0; sent < BYTES_MOST; sent += packet->pkt_len) {
        packet = weir_packet_alloc(self->world.stacks[0]);
        if (packet == NULL)
            return world_fail(&self->world, "no packet to send");
        rte_pktmbuf_append(packet, (uint16_t)1448);
        WEIR_TRY(weir_stream_send(stream, packet));
    }
    WEIR_TRY(weir_send_eof(stream));
    return weir_stream_receive(stream, &packet); /* the other end's end: it has all */
}

static int transfer(struct world *world)
{
    struct measurement *self = measurement_of(world);
    struct weir_endpoint server = world_endpoint(world, 1, PORT);
    struct weir_nursery nursery;
    struct weir_scope limit;
    struct weir_stream *stream;
    weir_time start;
    int rc = 0;

    weir_with_nursery (&nursery, rc) {
        weir_start_soon(&nursery, serve, self);
        WEIR_DO(rc, weir_checkpoint());
        WEIR_DO(rc, weir_open_tcp_stream(world->stacks[0], &server, &stream));
        if (rc == 0) {
            self->received = 0;
            start = weir_current_time();
            weir_move_on_after (&limit, TIME_MOST, rc) {
                rc = fill(self, stream);
            }
            self->goodput += (double)self->received * 8e3 / (double)(weir_current_time() - start);
            weir_stream_abort(stream);
        }
        weir_nursery_cancel(&nursery);
    }
    return rc == -ECONNRESET ? 0 : rc; /* the server, whose client has gone */
}

/* The mean goodput on a path; ends the program if a transfer fails. */
static double measure(const struct path *path, const struct weir_tcp_congestion *congestion, struct rte_mempool *pool)
{
    static const struct scenario scenario = {"throughput", "", prepare, transfer};
    static struct measurement self;

    unsigned seeds = path->loss + path->reorder > 0 ? SEEDS : 1;

    self = (struct measurement){.path = path, .congestion = congestion};
    for (uint64_t seed = 1; seed <= seeds; seed++)
        if (!world_run(&self.world, &scenario, seed, pool, NULL, DEVICE_PLAIN)) {
            fprintf(stderr, "throughput: %g Mbit/s, %u ms, loss %g, reordering %g, seed %lu: %s\n", path->rate,
                    path->rtt_ms, path->loss, path->reorder, (unsigned long)seed, self.world.failure);
            exit(EXIT_FAILURE);
        }
    return self.goodput / seeds;
}

/* ---- the table ---- */

#define ROW "%6g Mbit/s %4u ms %5.1f %% loss %4.0f %% reordered"

static const struct weir_tcp_congestion *const controllers[CONTROLLERS] = {&weir_tcp_cubic, &weir_tcp_reno};

static void print(FILE *out, double table[PATHS][CONTROLLERS])
{
    fprintf(out,
            "Goodput of one connection, Mbit/s, the mean of %u seeds: rate, round trip, loss and reordering each way; "
            "CUBIC, Reno.\n",
            SEEDS);
    for (unsigned i = 0; i < PATHS; i++)
        fprintf(out, ROW "  %8.3f %8.3f\n", paths[i].rate, paths[i].rtt_ms, paths[i].loss * 100, paths[i].reorder * 100,
                table[i][0], table[i][1]);
}

/* Finds a path's row in the snapshot. Returns false if there is none. */
static bool recall(FILE *in, const struct path *path, double row[CONTROLLERS])
{
    char line[256], name[128];
    int length = snprintf(name, sizeof name, ROW, path->rate, path->rtt_ms, path->loss * 100, path->reorder * 100);

    rewind(in);
    while (fgets(line, sizeof line, in) != NULL)
        if (strncmp(line, name, (size_t)length) == 0)
            return sscanf(line + length, "%lf %lf", &row[0], &row[1]) == CONTROLLERS;
    return false;
}

static bool compare(const char *file, FILE *in, double table[PATHS][CONTROLLERS])
{
    double product = 0, known[CONTROLLERS];
    bool same = true;

    for (unsigned i = 0; i < PATHS; i++) {
        if (!recall(in, &paths[i], known)) {
            printf("not in the snapshot: " ROW "\n", paths[i].rate, paths[i].rtt_ms, paths[i].loss * 100,
                   paths[i].reorder * 100);
            same = false;
            continue;
        }
        for (unsigned j = 0; j < CONTROLLERS; j++) {
            product += log(table[i][j] / known[j]);
            if (table[i][j] >= SLOWER_CELL * known[j])
                continue;
            printf("slower: " ROW ", %s: %.3f Mbit/s, and was %.3f\n", paths[i].rate, paths[i].rtt_ms,
                   paths[i].loss * 100, paths[i].reorder * 100, weir_tcp_congestion_name(controllers[j]), table[i][j],
                   known[j]);
            same = false;
        }
    }
    product = exp(product / (PATHS * CONTROLLERS));
    printf("all in all %.3f of what it was (below %.2f fails, as one cell below %.2f does)\n", product, SLOWER_ALL,
           SLOWER_CELL);
    if (same && product >= SLOWER_ALL)
        return true;
    printf("if that is meant: build/tests/sim/throughput --rewrite %s\n", file);
    return false;
}

int main(int argc, char **argv)
{
    bool rewrites = argc == 3 && strcmp(argv[1], "--rewrite") == 0;
    const char *file = argv[argc - 1];
    double table[PATHS][CONTROLLERS];
    bool held = true;
    FILE *snapshot;

    if (argc != 2 && !rewrites) {
        fprintf(stderr, "usage: throughput [--rewrite] SNAPSHOT\n");
        return EXIT_FAILURE;
    }
    struct rte_mempool *pool = sim_begin();
    for (unsigned i = 0; i < PATHS; i++)
        for (unsigned j = 0; j < CONTROLLERS; j++)
            table[i][j] = measure(&paths[i], controllers[j], pool);
    sim_end(pool);
    print(stdout, table);
    snapshot = fopen(file, rewrites ? "w" : "r");
    if (snapshot == NULL) {
        perror(file);
        return EXIT_FAILURE;
    }
    if (rewrites)
        print(snapshot, table);
    else
        held = compare(file, snapshot, table);
    return fclose(snapshot) == 0 && held ? EXIT_SUCCESS : EXIT_FAILURE;
}
