#include "world.h"
#include "capture.h"
#include <rte_hash_crc.h>
#include <stdarg.h>
#include <string.h>
#include <weir/net/wire.h>

/* ---- a device that digests what passes, so that two runs can be compared; and where one can look ---- */

struct digest_dev {
    struct weir_dev dev;
    struct weir_dev *inner;
    struct world *world;
    int host;
    struct weir_rng rng; /* the middlebox's */
    FILE *capture;       /* or NULL         */
};

static void digest(struct world *world, const struct rte_mbuf *m)
{
    uint32_t crc = rte_hash_crc(&world->clock.time, sizeof world->clock.time, (uint32_t)world->digest);
    uint64_t aligned[256];
    for (; m != NULL; m = m->next)
        for (uint32_t done = 0; done < m->data_len; done += sizeof aligned) { /* rte_hash_crc loads whole words */
            uint32_t length = RTE_MIN(m->data_len - done, (uint32_t)sizeof aligned);
            memcpy(aligned, rte_pktmbuf_mtod_offset(m, const char *, done), length);
            crc = rte_hash_crc(aligned, length, crc);
        }
    world->digest = (world->digest + crc) * 0x9e3779b97f4a7c15u + crc;
}

static uint16_t digest_rx(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    struct digest_dev *self = WEIR_CONTAINER_OF(dev, struct digest_dev, dev);
    struct world *world = self->world;
    const char *wrong = watch_look(&world->watches[self->host], world->stacks[self->host], world->clock.time);
    if (wrong != NULL)
        world_fail(world, "host %d, at %.6f s: %s", self->host, (double)world->clock.time / 1e9, wrong);
    n = weir_dev_rx_burst(self->inner, packets, n);
    for (uint16_t i = 0; i < n && self->capture != NULL; i++)
        capture_write(self->capture, self->world->clock.time, packets[i]);
    return n;
}

static void copy_all(struct rte_mempool *pool, struct rte_mbuf **packets, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct rte_mbuf *copy = rte_pktmbuf_copy(packets[i], pool, 0, UINT32_MAX);
        WEIR_ASSERT(copy != NULL);
        rte_pktmbuf_free(packets[i]);
        packets[i] = copy;
    }
}

static uint16_t digest_tx(struct weir_dev *dev, struct rte_mbuf **packets, uint16_t n)
{
    struct digest_dev *self = WEIR_CONTAINER_OF(dev, struct digest_dev, dev);
    for (uint16_t i = 0; i < n; i++) {
        struct rte_mbuf *segments[NIC_SEGMENTS_MAX] = {packets[i]};
        unsigned count = 1;
        if (self->world->device != DEVICE_PLAIN) {
            count = nic_finish(self->world->nic, packets[i], segments);
            copy_all(self->world->nic->pool, segments, count);
        }
        for (unsigned k = 0; k < count; k++) {
            middlebox_pass(&self->world->middlebox, &self->rng, segments[k]);
            digest(self->world, segments[k]);
            if (self->capture != NULL)
                capture_write(self->capture, self->world->clock.time, segments[k]);
        }
        weir_dev_tx_burst(self->inner, segments, (uint16_t)count); /* a faulty wire takes all */
    }
    return n;
}

static weir_time digest_next_deadline(struct weir_dev *dev)
{
    struct weir_dev *inner = WEIR_CONTAINER_OF(dev, struct digest_dev, dev)->inner;
    return inner->ops->next_deadline != NULL ? inner->ops->next_deadline(inner) : WEIR_NEVER;
}

static const struct weir_dev_ops digest_ops = {
    .rx_burst = digest_rx, .tx_burst = digest_tx, .next_deadline = digest_next_deadline};

/* What is on the wire is the same whether the stack cuts or the device. */
static void let_cut(struct digest_dev *self)
{
    self->dev.capabilities |= WEIR_DEV_TX_TSO | WEIR_DEV_TX_TCP_CKSUM;
    self->dev.tx_segments_max = 64;
}

static struct digest_dev digest_around(struct world *world, int host)
{
    struct weir_dev *inner = world->devs[host];
    struct digest_dev self = {.dev = *inner, .inner = inner, .world = world, .host = host};
    weir_rng_seed(&self.rng, world->seed * 2 + (uint64_t)host);
    self.dev.ops = &digest_ops;
    self.dev.references = world->nic->references;
    return self;
}

/* ---- the world ---- */

int world_fail(struct world *world, const char *format, ...)
{
    if (world->failure[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(world->failure, sizeof world->failure, format, arguments);
        va_end(arguments);
    }
    return -EIO;
}

void world_set_fault(struct world *world, const struct weir_fault *fault)
{
    for (int i = 0; i < 2; i++)
        weir_dev_fault_set(world->devs[i], fault, NULL);
}

static struct weir_address address_of(const struct world *world, int host)
{
    return world->ipv6 ? (struct weir_address){.bytes = {0xfd, [15] = (uint8_t)(host + 1)}}
                       : weir_address_v4(WEIR_IPV4(10, 0, 0, host + 1));
}

struct weir_endpoint world_endpoint(const struct world *world, int host, uint16_t port)
{
    struct weir_address address = address_of(world, host);
    return weir_endpoint_of(&address, port);
}

static int open_devices(struct world *world)
{
    struct weir_dev *ends[2];
    static const struct weir_fault none;
    WEIR_TRY(weir_dev_open_pair(ends, world->pool, 1024));
    for (int i = 0; i < 2; i++) {
        /* Each direction passes one fault: the receiver's. */
        int rc = weir_dev_open_fault(&world->devs[i], ends[i], &world->clock.clock, &world->fault, &none, 0,
                                     world->seed * 2 + (uint64_t)i);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* One that nobody doubts: no duplicate is looked for. */
static int add_address(struct weir_stack *stack, const struct weir_address *address, unsigned prefix)
{
    struct weir_ip *ip = weir_stack_ip(stack);
    WEIR_TRY(weir_ip_add_address(ip, address, prefix, 0));
    weir_link_announce(weir_ip_link(ip), weir_current_time(), address);
    return 0;
}

struct call {
    struct world *world;
    const struct scenario *scenario;
};

static int in_world(void *arg)
{
    struct call *call = arg;
    struct world *world = call->world;
    struct digest_dev digests[2];
    int rc = 0;
    for (int i = 0; i < 2 && rc == 0; i++) {
        digests[i] = digest_around(world, i);
        digests[i].capture = i == 0 ? world->capture : NULL;
        if (world->device == DEVICE_CUTS)
            let_cut(&digests[i]);
        struct weir_stack_options options = world->options;
        options.seed = world->seed * 2 + 1 + (uint64_t)i;
        struct weir_address address = address_of(world, i);
        rc = weir_stack_open(&world->stacks[i], &digests[i].dev, &options);
        if (rc == 0)
            rc = add_address(world->stacks[i], &address, world->ipv6 ? 64 : 24);
    }
    if (rc == 0)
        rc = call->scenario->main(world);
    for (int i = 0; i < 2; i++)
        weir_stack_close(world->stacks[i]);
    return rc;
}

bool world_run(struct world *world, const struct scenario *scenario, uint64_t seed, struct rte_mempool *pool,
               FILE *capture, enum world_device device)
{
    *world = (struct world){.seed = seed, .ipv6 = scenario->ipv6, .pool = pool, .capture = capture, .device = device};
    static struct nic nic;
    if (nic.pool == NULL)
        nic_open(&nic);
    world->nic = &nic;
    weir_rng_seed(&world->rng, seed);
    weir_virtual_clock_init(&world->clock, WEIR_SECONDS(1000), true);
    world->options.connections_max = WATCH_CONNECTIONS;
    if (scenario->prepare != NULL)
        scenario->prepare(world);
    struct call call = {world, scenario};
    struct weir_run_options options = {.clock = &world->clock.clock, .tasks_max = 4096, .shuffle_seed = seed};
    int rc = open_devices(world);
    if (rc == 0)
        rc = weir_run(in_world, &call, &options);
    for (int i = 0; i < 2; i++)
        weir_dev_close(world->devs[i]);
    bool gave_up = world->watches[0].gave_up || world->watches[1].gave_up;
    if (rc < 0 && !(gave_up && (rc == -ETIMEDOUT || rc == -EHOSTUNREACH || rc == -ECONNRESET)))
        world_fail(world, "ended with %s (%d)", weir_error_name(rc), rc);
    if (!rte_mempool_full(nic.pool) || !rte_mempool_full(nic.references))
        world_fail(world, "packets are not back in the devices' pools");
    if (rte_mempool_in_use_count(pool) != 0)
        world_fail(world, "%u packets are not back in the pool", rte_mempool_in_use_count(pool));
    return world->failure[0] == '\0';
}
