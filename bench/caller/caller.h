/* Many telephones in one process: places calls over SIP and RTP, and measures what comes back.
 *
 * One thread and one core. Arrival times are the kernel's (SO_TIMESTAMPNS), so that the program's own lateness in
 * reading does not count; its lateness in sending is measured and reported. A socket per call, as with real phones.
 */
#ifndef CALLER_H
#define CALLER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MS 1000000ll /* in ns; so are all times */
#define SECOND 1000000000ll
#define FRAME (20 * MS)
#define SAMPLES 160 /* in a frame of G.711 */
#define MOST_SOURCES 64

typedef int64_t ns;

ns now(void); /* CLOCK_REALTIME: the clock of the kernel's stamps */
struct in_addr source_address(int source);

/* ---- counts.c: distributions with a resolution of 1 us below 4 s */

#define BUCKETS 4000000

struct distribution {
    uint32_t *buckets;
    uint64_t count;
    ns most;
};

void distribution_open(struct distribution *d);
void distribution_clear(struct distribution *d);
void distribution_add(struct distribution *d, ns value);
double distribution_ms(const struct distribution *d, double share); /* -1 if empty */

/* ---- what is asked for, and what was found */

struct options {
    struct sockaddr_in server;
    struct in_addr local;
    int sources;         /* addresses that we call from, `local` and those that follow it */
    int sip_port;        /* ours, on each of them; 0: any */
    int calls;           /* held at the same time, or the most of them */
    double rate;         /* calls begun a second while fewer than that are up */
    bool open_loop;      /* calls begin at random times at this rate, however many are up */
    double hold;         /* seconds that a call lasts; 0: to the end */
    double settle;       /* seconds after all calls are up before measuring begins */
    double seconds;      /* seconds measured */
    double report;       /* seconds between lines about the progress; 0: none */
    double keys;         /* seconds between two keys of a call; 0: none */
    bool audio;          /* send audio */
    bool answer;         /* answer calls too, and check that audio gets through from end to end */
    bool bare;           /* RTP without SIP: call n is at the server's port + 2 n */
    const char *number;  /* that is called */
    const char *caller;  /* the calling number */
};

struct results {
    struct distribution setup;  /* INVITE sent -> 200 received */
    struct distribution jitter; /* |time between two packets - time between their samples| */
    struct distribution key;    /* first packet of a key sent -> first packet of the other prompt received */
    struct distribution through; /* audio sent by one end -> received by the other */
    struct distribution late;   /* a frame's time -> sent: this program's own fault */
    uint64_t begun, answered, finished;
    uint64_t refused, unanswered, dropped, missed_byes, full; /* what went wrong, by kind */
    uint64_t resent;
    uint64_t sent, received, lost, silent; /* packets; seconds of calls without any */
    uint64_t keys, unheard;                /* keys pressed; without another prompt within 2 s */
    uint64_t stray;                        /* audio that is not the other end's */
    int last_refusal;                      /* status of the last refused INVITE */
};

/* ---- calls */

enum state { IDLE, INVITED, PROCEEDING, TALKING, LEAVING };

struct call {
    int index, source;
    enum state state;
    bool incoming;
    unsigned serial; /* of the calls in this place */

    /* SIP */
    unsigned cseq, status;
    char target[256], tag[128]; /* of the other side */
    char id[128], from[256];    /* an incoming call's Call-ID and From */
    ns invited, answered, leave_at, resend_at, resend_gap, give_up_at;

    /* RTP, ours */
    int socket;
    uint16_t port;
    bool connected;
    uint16_t sequence;
    uint32_t timestamp, ssrc;
    uint64_t frame;
    int key_frames; /* of the key under way that were sent; 0: none */
    uint32_t key_timestamp;
    ns key_at, key_sent, next_key;
    int event_type; /* payload type of telephone-events; 0: not agreed on */

    /* RTP, theirs */
    bool heard;
    uint16_t their_sequence;
    uint32_t their_timestamp, their_ssrc;
    ns heard_at;
    int prompt; /* which of the two prompts was heard last */
    uint64_t their_frame;
    int partner; /* the call whose audio arrives here; -1: not known yet */
};

extern struct options options;
extern struct results results;
extern struct call *calls;
extern int places; /* for calls, those for incoming ones included */
extern bool measuring;

/* ---- sip.c */

void sip_open(void);
int sip_socket(int source);
void sip_invite(struct call *call, ns at);
void sip_bye(struct call *call, ns at);
void sip_timers(struct call *call, ns at);
void sip_receive(int source);

/* ---- rtp.c */

void rtp_open(struct call *call);
void rtp_begin(struct call *call, const struct sockaddr_in *peer, ns at);
void rtp_send(struct call *call, ns due);
void rtp_receive(struct call *call);

/* ---- main.c */

struct call *free_incoming(void);
void call_began(struct call *call, ns at);
void call_ended(struct call *call);

#endif
