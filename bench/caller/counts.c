/* Distributions of times, and the clock. */
#define _GNU_SOURCE
#include "caller.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

ns now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

void distribution_open(struct distribution *d)
{
    d->buckets = calloc(BUCKETS, sizeof *d->buckets);
    if (!d->buckets)
        abort();
}

void distribution_clear(struct distribution *d)
{
    if (d->count)
        memset(d->buckets, 0, BUCKETS * sizeof *d->buckets);
    d->count = 0;
    d->most = 0;
}

void distribution_add(struct distribution *d, ns value)
{
    ns us = value / 1000;
    d->buckets[us < 0 ? 0 : us < BUCKETS ? us : BUCKETS - 1]++;
    d->count++;
    if (value > d->most)
        d->most = value;
}

double distribution_ms(const struct distribution *d, double share)
{
    if (!d->count)
        return -1;
    uint64_t rank = (uint64_t)(share * (double)(d->count - 1)), seen = 0;
    for (int us = 0; us < BUCKETS; us++)
        if ((seen += d->buckets[us]) > rank)
            return us / 1000.0;
    return (double)d->most / MS;
}
