/* Initial sequence numbers pass a look by whoever may open as many connections as he likes and wants to guess those of
 * others. RFC 6528 section 3; the looks: M. Zalewski, Strange Attractors and TCP/IP Sequence Number Analysis (phase
 * space), and the oldest ones there are: correlation, and a spectrum without peaks. */
#include "../support/tcp_wire.h"
#include <complex.h>
#include <math.h>
#include <stdlib.h>

enum { COUNT = 4096 };

static struct wire w;
static uint32_t numbers[COUNT];

static void setup(void)
{
    test_eal_init();
    wire_init(&w);
}

TestSuite(isn, .init = setup, .timeout = 60);

/* Each from a port of its own, a millisecond after the last; what the clock adds is no secret, and is taken off. */
static void collect(bool cookies)
{
    struct wire_seen seen;

    w.options.syn_cookies = cookies;
    wire_open(&w);
    (void)wire_listen(&w, 8);
    for (unsigned i = 0; i < COUNT; i++) {
        w.peer_port = (uint16_t)(20000 + i);
        w.now += WEIR_MILLISECONDS(1);
        IN(&w, .flags = SYN);
        wire_flush(&w);
        cr_assert(wire_next(&w, &seen));
        cr_assert_eq(seen.flags, SYN | ACK);
        numbers[i] = w.iss - (cookies ? 0 : (uint32_t)((uint64_t)w.now / 4000));
        IN(&w, .flags = RST, .seq = 1);
        cr_assert(!wire_next(&w, &seen));
    }
    wire_close_quietly(&w);
}

/* -1 to 1 */
static double as_real(uint32_t number)
{
    return (int32_t)number / 2147483648.0;
}

/* From one to the next, as `look` sees them. */
static double step_at(unsigned i)
{
    return as_real(numbers[i + 1] - numbers[i]);
}

static double number_at(unsigned i)
{
    return as_real(numbers[i]);
}

/* Of independent numbers it is normal, with a deviation of 1 / sqrt(COUNT): five of them are one in a million. */
static bool correlates(double (*at)(unsigned i), unsigned lag_first)
{
    double square = 0;

    for (unsigned i = 0; i < COUNT - 1; i++)
        square += at(i) * at(i);
    for (unsigned lag = lag_first; lag < 64; lag++) {
        double sum = 0;

        for (unsigned i = 0; i + lag < COUNT - 1; i++)
            sum += at(i) * at(i + lag);
        if (fabs(sum / square) > 5 / sqrt(COUNT))
            return true;
    }
    return false;
}

/* In place, without putting it in order: only how high the highest is counts. */
static void transform(double complex *x, unsigned n)
{
    for (unsigned half = n / 2; half > 0; half /= 2)
        for (unsigned block = 0; block < n; block += 2 * half)
            for (unsigned i = block; i < block + half; i++) {
                double complex a = x[i], b = x[i + half];

                x[i] = a + b;
                x[i + half] = (a - b) * cexp(-M_PI * I * (i - block) / half);
            }
}

/* Power is exponential around its mean: 4096 of them have none beyond 20 times that, but for one time in 100,000. */
static bool peaks(void)
{
    static double complex spectrum[COUNT];
    double mean = 0, highest = 0;

    for (unsigned i = 0; i < COUNT; i++)
        spectrum[i] = number_at(i);
    transform(spectrum, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        double power = creal(spectrum[i] * conj(spectrum[i]));

        mean += power / COUNT;
        highest = fmax(highest, power);
    }
    return highest > 20 * mean;
}

/* Who has seen two steps looks for where he saw such a pair before, and guesses that the third will be as it was then.
 * A guess that is off by less than a window of 64 KB hits by chance once in 32768. */
static bool attracts(void)
{
    unsigned hits = 0;

    for (unsigned t = COUNT / 2; t < COUNT - 3; t++) {
        unsigned nearest = 0;
        double least = INFINITY;

        for (unsigned s = 0; s < COUNT / 2 - 3; s++) {
            double x = step_at(s) - step_at(t), y = step_at(s + 1) - step_at(t + 1);

            if (x * x + y * y < least) {
                least = x * x + y * y;
                nearest = s;
            }
        }
        hits += fabs(as_real((numbers[nearest + 3] - numbers[nearest + 2]) - (numbers[t + 3] - numbers[t + 2]))) <
                65536 / 2147483648.0;
    }
    return hits > 4;
}

/* Each bit is set half of the time: a deviation of sqrt(COUNT) / 2. (Those that are never set
 * were taken off.) */
static bool leans(void)
{
    for (unsigned bit = 0; bit < 32; bit++) {
        unsigned set = 0;

        for (unsigned i = 0; i < COUNT; i++)
            set += numbers[i] >> bit & 1;
        if (set > 0 && fabs(set - COUNT / 2.0) > 5 * sqrt(COUNT) / 2)
            return true;
    }
    return false;
}

static void look(void)
{
    cr_expect(!leans());
    cr_expect(!correlates(number_at, 1));
    cr_expect(!correlates(step_at, 2)); /* steps next to each other share a number */
    cr_expect(!peaks());
    cr_expect(!attracts());
}

Test(isn, tell_nothing_of_each_other)
{
    collect(false);
    look();
}

/* Their upper 8 bits are a clock and the MSS, and no secret. */
Test(isn, cookies_tell_nothing_of_each_other)
{
    collect(true);
    for (unsigned i = 0; i < COUNT; i++)
        numbers[i] <<= 8;
    look();
}

/* What is there to be seen is seen: of a clock; of a generator with a short memory; of a wave under noise. */
Test(isn, looks_see_what_is_there)
{
    for (unsigned i = 0; i < COUNT; i++)
        numbers[i] = 64000 * i;
    cr_expect(correlates(number_at, 1));
    for (unsigned i = 1; i < COUNT; i++)
        numbers[i] = numbers[i - 1] + 64000 + (i * i % 7) * 100;
    cr_expect(attracts());
    srand48(1);
    for (unsigned i = 0; i < COUNT; i++)
        numbers[i] = (uint32_t)(int32_t)(500000000 * sin(i / 3.0)) + (uint32_t)(lrand48() / 2);
    cr_expect(peaks());
    for (unsigned i = 0; i < COUNT; i++)
        numbers[i] = (uint32_t)mrand48() | (uint32_t)(mrand48() & 8);
    cr_expect(leans());
}
