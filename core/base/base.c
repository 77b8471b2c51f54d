/* Assertions, log and randomness. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/base.h>

void weir_assert_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "weir: %s:%d: this must hold and does not: %s\n", file, line, expression);
    abort();
}

void weir_assert_equal_failed(const char *a, const char *b, long long left, long long right, const char *file, int line)
{
    fprintf(stderr, "weir: %s:%d: these must be equal and are not: %s is %lld, %s is %lld\n", file, line, a, left, b,
            right);
    abort();
}

static int log_threshold = -1; /* not asked yet */

static int threshold_from_environment(void)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    const char *wanted = getenv("WEIR_LOG");
    for (int level = 0; wanted != NULL && level < 4; level++)
        if (strcmp(wanted, names[level]) == 0)
            return level;
    return WEIR_LOG_WARNING;
}

void weir_log_set_level(enum weir_log_level level)
{
    log_threshold = (int)level;
}

void weir_log(enum weir_log_level level, const char *format, ...)
{
    if (log_threshold < 0)
        log_threshold = threshold_from_environment();
    if ((int)level > log_threshold)
        return;
    char line[4096 + 256]; /* some are whole stories: weir_tcp_last_words */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    fprintf(stderr, "weir: %s\n", line); /* one call, so that lines of several lcores do not mix */
}

void weir_say(const char *text)
{
    int saved = errno;
    if (write(STDERR_FILENO, text, strlen(text)) < 0) { /* nothing better is left to do */
    }
    errno = saved;
}

void weir_say_number(uint64_t number)
{
    char digits[24], *at = digits + sizeof digits;
    *--at = '\0';
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    weir_say(at);
}

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void weir_rng_seed(struct weir_rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        rng->state[i] = splitmix64(&seed);
}

static uint64_t rotate(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

uint64_t weir_rng_next(struct weir_rng *rng)
{
    uint64_t *s = rng->state, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t weir_rng_below(struct weir_rng *rng, uint64_t bound)
{
    WEIR_ASSERT(bound > 0);
    unsigned __int128 product = (unsigned __int128)weir_rng_next(rng) * bound;
    uint64_t low = (uint64_t)product;
    if (low < bound)
        for (uint64_t reject = -bound % bound; low < reject; low = (uint64_t)product)
            product = (unsigned __int128)weir_rng_next(rng) * bound;
    return (uint64_t)(product >> 64);
}

double weir_rng_double(struct weir_rng *rng)
{
    return (double)(weir_rng_next(rng) >> 11) * 0x1p-53;
}
