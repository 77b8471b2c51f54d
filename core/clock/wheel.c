/* The timer wheel. Nine levels of 64 slots; a timer's level is the highest group of six bits in which its tick differs
 * from the wheel's own, so every timer of a level is due before any of the next, and a slot is opened at most once a
 * level (Varghese and Lauck, Hashed and Hierarchical Timing Wheels, scheme 7). */
#include <weir/clock.h>

enum { TICK_SHIFT = 10, LEVEL_SHIFT = 6, SLOT_MASK = WEIR_WHEEL_SLOTS - 1 };

void weir_wheel_init(struct weir_wheel *wheel, weir_time now)
{
    WEIR_ASSERT(now >= 0);
    *wheel = (struct weir_wheel){.tick = now >> TICK_SHIFT, .next = WEIR_NEVER};
    weir_list_init(&wheel->due);
    for (int level = 0; level < WEIR_WHEEL_LEVELS; level++)
        for (int slot = 0; slot < WEIR_WHEEL_SLOTS; slot++) {
            weir_list_init(&wheel->slots[level][slot]);
            wheel->earliest[level][slot] = WEIR_NEVER;
        }
}

static bool fires_before(const struct weir_timer *a, const struct weir_timer *b)
{
    return a->deadline != b->deadline ? a->deadline < b->deadline : a->sequence < b->sequence;
}

static struct weir_timer *timer_of(struct weir_list *link)
{
    return WEIR_CONTAINER_OF(link, struct weir_timer, link);
}

/* Whether a timer belongs among those found due and not yet handed out: all that fire before the last of them do. */
static bool belongs_to_due(const struct weir_wheel *wheel, const struct weir_timer *timer)
{
    return WEIR_UNLIKELY(!weir_list_empty(&wheel->due)) && !fires_before(timer_of(wheel->due.prev), timer);
}

static void insert_into_due(struct weir_wheel *wheel, struct weir_timer *timer)
{
    struct weir_list *before = wheel->due.prev;
    while (before != &wheel->due && fires_before(timer, timer_of(before)))
        before = before->prev;
    weir_list_append(before->next, &timer->link);
    if (timer->deadline < wheel->next)
        wheel->next = timer->deadline;
}

static void place(struct weir_wheel *wheel, struct weir_timer *timer)
{
    if (belongs_to_due(wheel, timer)) {
        insert_into_due(wheel, timer);
        return;
    }
    int64_t tick = timer->deadline >> TICK_SHIFT;
    if (tick < wheel->tick)
        tick = wheel->tick; /* overdue: the slot being worked on */
    uint64_t differ = (uint64_t)(tick ^ wheel->tick);
    int level = differ == 0 ? 0 : (63 - __builtin_clzll(differ)) / LEVEL_SHIFT;
    int slot = (int)(tick >> (level * LEVEL_SHIFT)) & SLOT_MASK;

    weir_list_append(&wheel->slots[level][slot], &timer->link);
    wheel->occupied[level] |= 1ull << slot;
    if (timer->deadline < wheel->earliest[level][slot])
        wheel->earliest[level][slot] = timer->deadline;
    if (timer->deadline < wheel->next)
        wheel->next = timer->deadline;
}

static void slot_emptied(struct weir_wheel *wheel, int level, int slot)
{
    wheel->occupied[level] &= ~(1ull << slot);
    wheel->earliest[level][slot] = WEIR_NEVER;
}

static void unlink_timer(struct weir_wheel *wheel, struct weir_timer *timer)
{
    struct weir_list *neighbour = timer->link.next;
    weir_list_remove(&timer->link);
    /* Only a list's head can be alone in it; find which slot's head that is. */
    if (weir_list_empty(neighbour) && neighbour != &wheel->due) {
        ptrdiff_t index = neighbour - &wheel->slots[0][0];
        slot_emptied(wheel, (int)(index / WEIR_WHEEL_SLOTS), (int)(index % WEIR_WHEEL_SLOTS));
    }
}

void weir_wheel_arm(struct weir_wheel *wheel, struct weir_timer *timer, weir_time deadline)
{
    if (deadline == WEIR_NEVER) {
        weir_wheel_disarm(wheel, timer);
        return;
    }
    if (weir_timer_armed(timer)) {
        if (deadline >= timer->deadline &&
            !belongs_to_due(wheel, timer)) { /* lazily: it moves when its old slot is opened */
            timer->deadline = deadline;
            timer->sequence = ++wheel->sequence;
            return;
        }
        unlink_timer(wheel, timer);
    } else {
        wheel->armed++;
    }
    timer->deadline = deadline;
    timer->sequence = ++wheel->sequence;
    place(wheel, timer);
}

void weir_wheel_disarm(struct weir_wheel *wheel, struct weir_timer *timer)
{
    if (!weir_timer_armed(timer))
        return;
    unlink_timer(wheel, timer);
    timer->deadline = WEIR_NEVER;
    WEIR_ASSERT(wheel->armed > 0);
    wheel->armed--;
    if (wheel->armed == 0)
        wheel->next = WEIR_NEVER;
}

/* Merges two sorted chains (linked by `next` only). */
static struct weir_list *merge(struct weir_list *a, struct weir_list *b)
{
    struct weir_list head, *tail = &head;
    while (a != NULL && b != NULL) {
        struct weir_list **first = fires_before(timer_of(b), timer_of(a)) ? &b : &a;
        tail->next = *first;
        tail = *first;
        *first = (*first)->next;
    }
    tail->next = a != NULL ? a : b;
    return head.next;
}

/* Sorts a list bottom up: run i holds 2^i timers. A million timers may share a slot, so no insertion sort. */
static void sort(struct weir_list *list)
{
    struct weir_list *runs[64] = {NULL};
    if (list->next == list->prev) /* none or one */
        return;
    list->prev->next = NULL;
    for (struct weir_list *at = list->next, *next; at != NULL; at = next) {
        next = at->next;
        at->next = NULL;
        int i = 0;
        for (; runs[i] != NULL; i++) {
            at = merge(runs[i], at);
            runs[i] = NULL;
        }
        runs[i] = at;
    }
    struct weir_list *sorted = NULL;
    for (int i = 0; i < 64; i++)
        if (runs[i] != NULL)
            sorted = sorted == NULL ? runs[i] : merge(runs[i], sorted);
    weir_list_init(list);
    for (struct weir_list *at = sorted, *next; at != NULL; at = next) {
        next = at->next;
        weir_list_append(list, at);
    }
}

/* Opens the level 0 slot of the current tick: what is due goes to `due`, the rest to where it belongs now. */
static void open_slot(struct weir_wheel *wheel, weir_time now)
{
    int slot = (int)wheel->tick & SLOT_MASK;
    struct weir_list opened, *list = &wheel->slots[0][slot], *link;

    weir_list_init(&opened);
    while ((link = list->next) != list) {
        weir_list_remove(link);
        weir_list_append(&opened, link);
    }
    slot_emptied(wheel, 0, slot);
    while ((link = opened.next) != &opened) {
        weir_list_remove(link);
        weir_time deadline = timer_of(link)->deadline;
        if (deadline <= now && deadline >> TICK_SHIFT <= wheel->tick) /* else: re-armed lazily, of a later slot */
            weir_list_append(&wheel->due, link);
        else
            place(wheel, timer_of(link));
    }
    sort(&wheel->due);
}

/* Spreads a slot of a higher level over the levels below. */
static void cascade(struct weir_wheel *wheel, int level, int slot)
{
    struct weir_list opened, *list = &wheel->slots[level][slot], *link;

    weir_list_init(&opened);
    while ((link = list->next) != list) {
        weir_list_remove(link);
        weir_list_append(&opened, link);
    }
    slot_emptied(wheel, level, slot);
    while ((link = opened.next) != &opened) {
        weir_list_remove(link);
        place(wheel, timer_of(link));
    }
}

/* Finds the first occupied slot at or after the current tick. Returns its level, or -1; sets the slot and its first
 * tick. */
static int first_occupied(const struct weir_wheel *wheel, int *slot, int64_t *tick)
{
    for (int level = 0; level < WEIR_WHEEL_LEVELS; level++) {
        if (wheel->occupied[level] == 0)
            continue;
        *slot = __builtin_ctzll(wheel->occupied[level]);
        int64_t span = (int64_t)1 << (level * LEVEL_SHIFT);
        int64_t round = level == WEIR_WHEEL_LEVELS - 1 ? 0 : wheel->tick & ~(span * WEIR_WHEEL_SLOTS - 1);
        *tick = round + *slot * span;
        if (*tick < wheel->tick) /* only the slot being worked on can begin before it */
            WEIR_ASSERT(level == 0 || *tick + span > wheel->tick);
        return level;
    }
    return -1;
}

struct weir_timer *weir_wheel_expire(struct weir_wheel *wheel, weir_time now)
{
    int64_t target = now >> TICK_SHIFT, tick;
    int slot;

    for (;;) {
        struct weir_timer *timer = WEIR_LIST_FIRST(&wheel->due, struct weir_timer, link);
        if (timer != NULL) {
            weir_list_remove(&timer->link);
            timer->deadline = WEIR_NEVER;
            wheel->armed--;
            return timer;
        }
        if (now < wheel->next)
            return NULL;
        int level = first_occupied(wheel, &slot, &tick);
        if (level < 0) {
            wheel->next = WEIR_NEVER;
            return NULL;
        }
        if (tick > target || wheel->earliest[level][slot] > now) {
            wheel->next = wheel->earliest[level][slot];
            return NULL;
        }
        if (tick > wheel->tick)
            wheel->tick = tick;
        if (level == 0)
            open_slot(wheel, now);
        else
            cascade(wheel, level, slot);
    }
}
