/* Options, the loop, and what is printed: JSON, a line each. */
#define _GNU_SOURCE
#include "caller.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLOTS 20        /* of 1 ms: each call sends in one of them */
#define READ_EVERY 50   /* ms between two looks into a call's RTP socket: arrival times are the kernel's */
#define LAST_WORDS (5 * SECOND)

struct options options;
struct results results;
struct call *calls;
int places;
bool measuring;

static ns started, settled_at, finished_at, next_call;
static int up, up_incoming;
static volatile sig_atomic_t interrupted;

struct in_addr source_address(int source)
{
    return (struct in_addr){htonl(ntohl(options.local.s_addr) + (uint32_t)source)};
}

static void interrupt(int number) { interrupted = number; }

/* ---- calls */

static struct call *free_place(int from, int to, int *next)
{
    for (int tried = from; tried < to; tried++) {
        struct call *call = &calls[*next];
        *next = *next + 1 < to ? *next + 1 : from;
        if (call->state == IDLE)
            return call;
    }
    return NULL;
}

struct call *free_incoming(void)
{
    static int next;
    if (next < options.calls)
        next = options.calls;
    return free_place(options.calls, places, &next);
}

void call_began(struct call *call, ns at)
{
    if (call->incoming) {
        up_incoming++;
        return;
    }
    up++;
    call->answered = at;
    call->leave_at = options.hold > 0 ? at + (ns)(options.hold * (double)SECOND) : 0;
}

void call_ended(struct call *call)
{
    if (call->connected) {
        rtp_receive(call);
        call->connected = false;
        if (call->incoming)
            up_incoming--;
        else
            up--;
    }
    call->state = IDLE;
}

/* Begin calls as the rate allows; without open loop, only as many as are missing. */
static void begin_calls(ns at)
{
    static int next;
    while (next_call <= at) {
        double gap = options.open_loop ? -log(1 - (double)random() / ((double)RAND_MAX + 1)) : 1;
        struct call *call = free_place(0, options.calls, &next);
        if (!call && !options.open_loop) { /* all are up: later, and without catching up */
            next_call = at + MS;
            return;
        }
        next_call += (ns)(gap * (double)SECOND / options.rate);
        if (call)
            sip_invite(call, at);
        else
            results.full++;
    }
}

static void begin_bare(ns at)
{
    for (int i = 0; i < options.calls; i++) {
        struct sockaddr_in peer = options.server;
        peer.sin_port = htons((uint16_t)(ntohs(peer.sin_port) + 2 * i));
        calls[i].state = TALKING;
        calls[i].event_type = 101;
        rtp_begin(&calls[i], &peer, at);
        call_began(&calls[i], at);
    }
}

/* ---- printing */

static void print_distribution(const char *name, const struct distribution *d)
{
    if (d->count)
        printf(", \"%s_p50\": %.3f, \"%s_p99\": %.3f, \"%s_max\": %.3f", name, distribution_ms(d, 0.5), name,
               distribution_ms(d, 0.99), name, (double)d->most / MS);
}

/* One line; times are in ms. */
static void print_results(const char *what, ns at)
{
    printf("{\"what\": \"%s\", \"second\": %.1f, \"calls\": %d, \"begun\": %lu, \"answered\": %lu, \"finished\": %lu, "
           "\"refused\": %lu, \"last_refusal\": %d, \"unanswered\": %lu, \"dropped\": %lu, \"missed_byes\": %lu, "
           "\"full\": %lu, \"resent\": %lu, \"sent\": %lu, \"received\": %lu, \"lost\": %lu, \"silent\": %lu, "
           "\"keys\": %lu, \"unheard\": %lu, \"stray\": %lu",
           what, (double)(at - started) / (double)SECOND, up, results.begun, results.answered, results.finished,
           results.refused, results.last_refusal, results.unanswered, results.dropped, results.missed_byes,
           results.full, results.resent, results.sent, results.received, results.lost, results.silent, results.keys,
           results.unheard, results.stray);
    print_distribution("setup", &results.setup);
    print_distribution("jitter", &results.jitter);
    print_distribution("key", &results.key);
    print_distribution("through", &results.through);
    print_distribution("late", &results.late);
    printf("}\n");
    fflush(stdout);
}

static void clear_distributions(void)
{
    distribution_clear(&results.setup);
    distribution_clear(&results.jitter);
    distribution_clear(&results.key);
    distribution_clear(&results.through);
    distribution_clear(&results.late);
}

/* ---- the loop */

/* What call `call` has to do in its slot of this frame. */
static void take_turn(struct call *call, ns due)
{
    sip_timers(call, due);
    if (call->state != TALKING)
        return;
    rtp_send(call, due);
    if (call->leave_at && due > call->leave_at && !call->incoming)
        sip_bye(call, due);
}

static void tick(long number, ns due)
{
    for (int i = (int)(number % SLOTS); i < places; i += SLOTS)
        take_turn(&calls[i], due);
    for (int i = (int)(number % READ_EVERY); i < places; i += READ_EVERY)
        if (calls[i].connected)
            rtp_receive(&calls[i]);
    if (measuring && number % 1000 == 0)
        for (int i = 0; i < places; i++)
            results.silent += calls[i].state == TALKING && due - calls[i].heard_at > SECOND;
}

/* All calls are up, or have had the time to be. */
static bool is_ramped(ns at)
{
    double ramp = options.open_loop || options.bare ? 0 : options.calls / options.rate;
    return options.open_loop || up >= options.calls || at > started + (ns)((2 * ramp + 5) * (double)SECOND);
}

static void begin_measuring(ns at)
{
    print_results("settled", at);
    if (options.open_loop || options.hold > 0) /* calls are set up while measuring: those count, not the ramp's */
        distribution_clear(&results.setup);
    measuring = true;
    finished_at = at + (ns)(options.seconds * (double)SECOND);
}

static void run(void)
{
    ns next_tick = now(), next_report = 0;
    long number = 0;
    struct pollfd polled[MOST_SOURCES];
    for (int source = 0; source < options.sources; source++)
        polled[source] = (struct pollfd){sip_socket(source), POLLIN, 0};
    started = next_call = next_tick;
    if (options.bare)
        begin_bare(started);
    for (bool leaving = false;;) {
        ns at = now(), wait = (next_call < next_tick && !options.bare ? next_call : next_tick) - at;
        struct timespec nap = {0, wait > 0 ? wait : 0};
        if (ppoll(polled, (nfds_t)(options.bare ? 0 : options.sources), &nap, NULL) > 0)
            for (int source = 0; source < options.sources; source++)
                if (polled[source].revents)
                    sip_receive(source);
        at = now();
        if (!leaving && !options.bare)
            begin_calls(at);
        for (; next_tick <= at; next_tick += MS)
            tick(number++, next_tick);
        if (!settled_at && is_ramped(at))
            settled_at = at + (ns)(options.settle * (double)SECOND);
        if (settled_at && !measuring && !leaving && at >= settled_at) {
            begin_measuring(at);
            next_report = options.report > 0 ? at + (ns)(options.report * (double)SECOND) : 0;
        }
        if (measuring && next_report && at >= next_report) {
            print_results("progress", at);
            clear_distributions();
            next_report += (ns)(options.report * (double)SECOND);
        }
        if ((measuring && at >= finished_at) || (interrupted && !leaving)) {
            print_results("measured", at);
            measuring = false;
            leaving = true;
            next_call = INT64_MAX;
            finished_at = at + LAST_WORDS;
            for (int i = 0; i < options.calls; i++)
                if (calls[i].state == TALKING && !options.bare)
                    sip_bye(&calls[i], at);
        }
        if (leaving && ((up == 0 && up_incoming == 0) || options.bare || at > finished_at))
            break;
    }
    print_results("ended", now());
}

/* ---- options */

static void usage(void)
{
    fputs("caller HOST:PORT [--number N] [--from N] [--local ADDRESS] [--sources N] [--sip-port N] [--calls N] [--rate R]\n"
          "  [--open-loop] [--hold S] [--settle S] [--seconds S] [--report S] [--keys S] [--no-audio] [--answer] "
          "[--bare]\n",
          stderr);
    exit(2);
}

static void read_server(const char *text)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    if (!colon)
        usage();
    snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    options.server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
    if (inet_pton(AF_INET, host, &options.server.sin_addr) != 1)
        usage();
}

static void read_options(int count, char **words)
{
    enum { NUMBER, FROM, LOCAL, SOURCES, SIP_PORT, CALLS, RATE, OPEN, HOLD, SETTLE, SECONDS, REPORT, KEYS, QUIET, ANSWER, BARE };
    static const struct option names[] = {
        {"number", 1, 0, NUMBER}, {"from", 1, 0, FROM},       {"local", 1, 0, LOCAL},   {"sip-port", 1, 0, SIP_PORT},
        {"sources", 1, 0, SOURCES},
        {"calls", 1, 0, CALLS},   {"rate", 1, 0, RATE},       {"open-loop", 0, 0, OPEN}, {"hold", 1, 0, HOLD},
        {"settle", 1, 0, SETTLE}, {"seconds", 1, 0, SECONDS}, {"report", 1, 0, REPORT}, {"keys", 1, 0, KEYS},
        {"no-audio", 0, 0, QUIET}, {"answer", 0, 0, ANSWER},  {"bare", 0, 0, BARE},     {0}};
    options = (struct options){.sources = 1, .calls = 1, .rate = 100, .settle = 1, .seconds = 10, .audio = true,
                               .number = "6200", .caller = "2000"};
    options.local.s_addr = htonl(INADDR_LOOPBACK);
    for (int found; (found = getopt_long(count, words, "", names, NULL)) != -1;) {
        switch (found) {
        case NUMBER: options.number = optarg; break;
        case FROM: options.caller = optarg; break;
        case LOCAL: inet_pton(AF_INET, optarg, &options.local); break;
        case SOURCES: options.sources = atoi(optarg); break;
        case SIP_PORT: options.sip_port = atoi(optarg); break;
        case CALLS: options.calls = atoi(optarg); break;
        case RATE: options.rate = atof(optarg); break;
        case OPEN: options.open_loop = true; break;
        case HOLD: options.hold = atof(optarg); break;
        case SETTLE: options.settle = atof(optarg); break;
        case SECONDS: options.seconds = atof(optarg); break;
        case REPORT: options.report = atof(optarg); break;
        case KEYS: options.keys = atof(optarg); break;
        case QUIET: options.audio = false; break;
        case ANSWER: options.answer = true; break;
        case BARE: options.bare = true; break;
        default: usage();
        }
    }
    if (optind != count - 1 || options.calls < 1 || options.rate <= 0 || options.sources < 1
        || options.sources > MOST_SOURCES)
        usage();
    read_server(words[optind]);
}

int main(int count, char **words)
{
    read_options(count, words);
    places = options.answer ? 2 * options.calls : options.calls;
    calls = calloc((size_t)places, sizeof *calls);
    if (!calls)
        return 2;
    srandom(1);
    sip_open(); /* first: the others take any port */
    for (int i = 0; i < places; i++) {
        calls[i].index = i;
        calls[i].source = i % options.sources;
        calls[i].serial = (unsigned)(now() / SECOND); /* so that no Call-ID comes twice, in another run either */
        rtp_open(&calls[i]);
    }
    distribution_open(&results.setup);
    distribution_open(&results.jitter);
    distribution_open(&results.key);
    distribution_open(&results.through);
    distribution_open(&results.late);
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    run();
    return 0;
}
