/* SIP over one UDP socket: INVITE, ACK and BYE as caller, and as callee where calls are answered. RFC 3261.
 *
 * The Call-ID of a call that we place is SERIAL-INDEX@bench, and our tag for a call that we answer is SERIAL-INDEX
 * too: every message leads back to its call without a search.
 */
#define _GNU_SOURCE
#include "caller.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#define T1 (500 * MS)
#define T2 (4 * SECOND)
#define PATIENCE (32 * SECOND) /* timers B and F */
#define LARGEST 4096
#define BATCH 32

static struct {
    int socket;
    char address[32]; /* HOST:PORT */
    char host[INET_ADDRSTRLEN];
} sources[MOST_SOURCES];

int sip_socket(int source) { return sources[source].socket; }

static void open_source(int source)
{
    struct sockaddr_in local = {
        .sin_family = AF_INET, .sin_addr = source_address(source), .sin_port = htons((uint16_t)options.sip_port)};
    socklen_t size = sizeof local;
    int on = 1, room = 8 << 20, fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof local)
        || setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on)
        || getsockname(fd, (struct sockaddr *)&local, &size)) {
        perror("SIP socket");
        exit(2);
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room); /* refused without rights: then less */
    sources[source].socket = fd;
    inet_ntop(AF_INET, &local.sin_addr, sources[source].host, sizeof sources[source].host);
    snprintf(sources[source].address, sizeof sources[source].address, "%s:%d", sources[source].host,
             ntohs(local.sin_port));
}

void sip_open(void)
{
    for (int source = 0; source < options.sources; source++)
        open_source(source);
}

static void send_sip(int source, const char *text, int size, const struct sockaddr_in *to)
{
    ssize_t sent = sendto(sources[source].socket, text, (size_t)size, 0, (const struct sockaddr *)to, sizeof *to);
    if (sent < 0 && errno != ECONNREFUSED)
        perror("SIP send");
}

/* ---- reading */

/* A header's value as far as the end of its line; NULL if there is none. `compact` is its one-letter name, or 0. */
static const char *find_header(const char *text, const char *name, char compact, size_t *size)
{
    size_t length = strlen(name);
    for (const char *line = strstr(text, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (line[0] == '\r')
            return NULL;
        const char *value = NULL;
        if (!strncasecmp(line, name, length))
            value = line + length;
        else if (compact && (line[0] | 32) == compact)
            value = line + 1;
        while (value && *value == ' ')
            value++;
        if (value && *value == ':') {
            value++;
            while (*value == ' ')
                value++;
            *size = strcspn(value, "\r\n");
            return value;
        }
    }
    return NULL;
}

static void copy_header(const char *text, const char *name, char compact, char *target, size_t room)
{
    size_t size = 0;
    const char *value = find_header(text, name, compact, &size);
    snprintf(target, room, "%.*s", (int)size, value ? value : "");
}

/* The address between < and >, or all of a header that has none. */
static void copy_address(const char *header, char *target, size_t room)
{
    const char *begin = strchr(header, '<');
    begin = begin ? begin + 1 : header;
    snprintf(target, room, "%.*s", (int)strcspn(begin, ">;"), begin);
    if (header != begin) /* within <> parameters belong to the address */
        snprintf(target, room, "%.*s", (int)strcspn(begin, ">"), begin);
}

static void copy_tag(const char *header, char *target, size_t room)
{
    const char *tag = strcasestr(header, ";tag=");
    snprintf(target, room, "%.*s", tag ? (int)strcspn(tag + 5, ";>, \r\n") : 0, tag ? tag + 5 : "");
}

/* The call that SERIAL-INDEX names, if it is still the same one. */
static struct call *find_call(const char *name)
{
    unsigned serial, index;
    if (sscanf(name, "%u-%u", &serial, &index) != 2 || index >= (unsigned)places || calls[index].serial != serial)
        return NULL;
    return &calls[index];
}

/* Where a session description wants its audio. False: nowhere. */
static bool read_sdp(const char *text, struct sockaddr_in *peer, int *event_type)
{
    const char *body = strstr(text, "\r\n\r\n");
    const char *address = body ? strstr(body, "c=IN IP4 ") : NULL, *media = body ? strstr(body, "m=audio ") : NULL;
    char host[64];
    if (!address || !media)
        return false;
    snprintf(host, sizeof host, "%.*s", (int)strcspn(address + 9, "\r\n/ "), address + 9);
    *peer = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(media + 8))};
    *event_type = 0;
    for (const char *map = body; (map = strstr(map, "a=rtpmap:")); map += 9) {
        int type = atoi(map + 9);
        const char *name = strchr(map, ' ');
        if (name && !strncasecmp(name + 1, "telephone-event", 15))
            *event_type = type;
    }
    return peer->sin_port && inet_pton(AF_INET, host, &peer->sin_addr) == 1;
}

/* ---- writing */

static int put_sdp(const struct call *call, char *text, size_t room)
{
    return snprintf(text, room,
                    "v=0\r\no=- %u %u IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %d RTP/AVP 0 101\r\n"
                    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
                    "a=sendrecv\r\n",
                    call->serial, call->serial, sources[call->source].host, sources[call->source].host, call->port);
}

/* A request within or to begin a call that we placed. */
static void send_request(struct call *call, const char *method, const char *branch)
{
    char text[LARGEST], body[512], to[512];
    char server[INET_ADDRSTRLEN];
    const char *own = sources[call->source].address;
    bool invite = !strcmp(method, "INVITE");
    int body_size = invite ? put_sdp(call, body, sizeof body) : 0;
    inet_ntop(AF_INET, &options.server.sin_addr, server, sizeof server);
    snprintf(to, sizeof to, "<sip:%s@%s:%d>%s%s", options.number, server, ntohs(options.server.sin_port),
             call->tag[0] ? ";tag=" : "", call->tag);
    int size = snprintf(
        text, sizeof text,
        "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=z9hG4bK-%u-%d-%s\r\nMax-Forwards: 70\r\n"
        "From: <sip:%s@%s>;tag=%u-%d\r\nTo: %s\r\nCall-ID: %u-%d@bench\r\nCSeq: %u %s\r\n"
        "Contact: <sip:%s@%s>\r\n%sContent-Length: %d\r\n\r\n%.*s",
        method, call->target, own, call->serial, call->index, branch, options.caller, own, call->serial, call->index,
        to, call->serial, call->index, call->cseq, method, options.caller, own,
        invite ? "Content-Type: application/sdp\r\n" : "", body_size, body_size, body);
    send_sip(call->source, text, size, &options.server);
}

/* A request that was just read, where it came in, and from where. */
struct request {
    const char *text;
    int source;
    struct sockaddr_in from;
};

/* Answer a request: with its Via, From, To, Call-ID and CSeq as they were. */
static void send_answer(const struct request *request, const char *line, const struct call *call, bool with_sdp)
{
    char text[LARGEST], body[512] = "", value[512], contact[128] = "";
    int size = snprintf(text, sizeof text, "SIP/2.0 %s\r\n", line);
    size_t length;
    for (const char *via = request->text; (via = find_header(via, "Via", 'v', &length)); via += length)
        size += snprintf(text + size, sizeof text - (size_t)size, "Via: %.*s\r\n", (int)length, via);
    for (const char *route = request->text; (route = find_header(route, "Record-Route", 0, &length)); route += length)
        size += snprintf(text + size, sizeof text - (size_t)size, "Record-Route: %.*s\r\n", (int)length, route);
    copy_header(request->text, "From", 'f', value, sizeof value);
    size += snprintf(text + size, sizeof text - (size_t)size, "From: %s\r\n", value);
    copy_header(request->text, "To", 't', value, sizeof value);
    bool tagged = strcasestr(value, ";tag=") || !call;
    size += snprintf(text + size, sizeof text - (size_t)size, "To: %s", value);
    if (!tagged)
        size += snprintf(text + size, sizeof text - (size_t)size, ";tag=%u-%d", call->serial, call->index);
    copy_header(request->text, "Call-ID", 'i', value, sizeof value);
    size += snprintf(text + size, sizeof text - (size_t)size, "\r\nCall-ID: %s\r\n", value);
    copy_header(request->text, "CSeq", 0, value, sizeof value);
    if (with_sdp) {
        put_sdp(call, body, sizeof body);
        snprintf(contact, sizeof contact, "Contact: <sip:bench@%s>\r\nContent-Type: application/sdp\r\n",
                 sources[request->source].address);
    }
    size += snprintf(text + size, sizeof text - (size_t)size, "CSeq: %s\r\n%sContent-Length: %zu\r\n\r\n%s", value,
                     contact, strlen(body), body);
    send_sip(request->source, text, size, &request->from);
}

/* ---- calls that we place */

static void await(struct call *call, ns at)
{
    call->resend_gap = T1;
    call->resend_at = at + T1;
    call->give_up_at = at + PATIENCE;
}

void sip_invite(struct call *call, ns at)
{
    char server[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &options.server.sin_addr, server, sizeof server);
    call->serial++;
    call->cseq = 1;
    call->tag[0] = 0;
    call->incoming = false;
    call->state = INVITED;
    snprintf(call->target, sizeof call->target, "sip:%s@%s:%d", options.number, server,
             ntohs(options.server.sin_port));
    await(call, at);
    results.begun++;
    call->invited = now();
    send_request(call, "INVITE", "i");
}

void sip_bye(struct call *call, ns at)
{
    call->state = LEAVING;
    call->cseq = 2;
    await(call, at);
    send_request(call, "BYE", "b");
}

void sip_timers(struct call *call, ns at)
{
    if (call->incoming || call->state == IDLE || call->state == TALKING)
        return;
    if (at > call->give_up_at) {
        if (call->state == LEAVING)
            results.missed_byes++;
        else
            results.unanswered++;
        call_ended(call);
    } else if (at > call->resend_at && call->state != PROCEEDING) {
        results.resent++;
        call->resend_gap = call->state == LEAVING && call->resend_gap * 2 > T2 ? T2 : call->resend_gap * 2;
        call->resend_at = at + call->resend_gap;
        send_request(call, call->state == LEAVING ? "BYE" : "INVITE", call->state == LEAVING ? "b" : "i");
    }
}

static void hear_answer(struct call *call, const char *text, int status, ns at)
{
    struct sockaddr_in peer;
    char header[512];
    copy_header(text, "To", 't', header, sizeof header);
    if (call->state == TALKING && status == 200) { /* our ACK was lost */
        send_request(call, "ACK", "a");
        return;
    }
    if (call->state != INVITED && call->state != PROCEEDING)
        return;
    if (status < 200) {
        call->state = PROCEEDING;
        return;
    }
    copy_tag(header, call->tag, sizeof call->tag);
    if (status >= 300) {
        results.refused++;
        results.last_refusal = status;
        send_request(call, "ACK", "i"); /* RFC 3261 17.1.1.3: of the same branch */
        call_ended(call);
        return;
    }
    copy_header(text, "Contact", 'm', header, sizeof header);
    copy_address(header, call->target, sizeof call->target);
    send_request(call, "ACK", "a");
    if (!read_sdp(text, &peer, &call->event_type)) {
        results.refused++;
        sip_bye(call, at);
        return;
    }
    distribution_add(&results.setup, at - call->invited);
    results.answered++;
    call->state = TALKING;
    rtp_begin(call, &peer, at);
    call_began(call, at);
}

static void read_response(const char *text, ns at)
{
    char id[128], cseq[64];
    int status = atoi(text + 8);
    copy_header(text, "Call-ID", 'i', id, sizeof id);
    copy_header(text, "CSeq", 0, cseq, sizeof cseq);
    struct call *call = find_call(id);
    if (!call || call->incoming)
        return;
    if (strstr(cseq, "INVITE"))
        hear_answer(call, text, status, at);
    else if (strstr(cseq, "BYE") && call->state == LEAVING && status >= 200) {
        results.finished++;
        call_ended(call);
    }
}

/* ---- calls that we answer, and hang-ups */

static struct call *find_incoming(const char *id)
{
    for (int i = options.calls; i < places; i++)
        if (calls[i].state != IDLE && !strcmp(calls[i].id, id))
            return &calls[i];
    return NULL;
}

static void read_invite(const struct request *request, ns at)
{
    struct sockaddr_in peer;
    char id[128];
    copy_header(request->text, "Call-ID", 'i', id, sizeof id);
    struct call *call = find_incoming(id);
    if (!call && options.answer && (call = free_incoming())) {
        if (!read_sdp(request->text, &peer, &call->event_type)) {
            send_answer(request, "488 Not Acceptable Here", call, false);
            return;
        }
        call->serial++;
        call->incoming = true;
        call->state = TALKING;
        snprintf(call->id, sizeof call->id, "%s", id);
        rtp_begin(call, &peer, at);
        call_began(call, at);
    }
    send_answer(request, call ? "200 OK" : "486 Busy Here", call, call != NULL);
}

static void read_bye(const struct request *request)
{
    char header[512], tag[128];
    copy_header(request->text, "To", 't', header, sizeof header);
    copy_tag(header, tag, sizeof tag);
    struct call *call = find_call(tag);
    send_answer(request, call ? "200 OK" : "481 Call/Transaction Does Not Exist", NULL, false);
    if (!call || call->state == IDLE)
        return;
    if (!call->incoming && call->state != LEAVING)
        results.dropped++; /* only we end calls */
    call_ended(call);
}

static void read_message(const struct request *request, ns at)
{
    const char *text = request->text;
    if (!strncmp(text, "SIP/2.0 ", 8))
        read_response(text, at);
    else if (!strncmp(text, "INVITE ", 7))
        read_invite(request, at);
    else if (!strncmp(text, "BYE ", 4))
        read_bye(request);
    else if (strncmp(text, "ACK ", 4))
        send_answer(request, "200 OK", NULL, false);
}

void sip_receive(int source)
{
    static char texts[BATCH][LARGEST];
    static char control[BATCH][64];
    struct sockaddr_in from[BATCH];
    struct iovec vectors[BATCH];
    struct mmsghdr messages[BATCH];
    int count;
    do {
        for (int i = 0; i < BATCH; i++) {
            vectors[i] = (struct iovec){texts[i], LARGEST - 1};
            messages[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                                  .msg_namelen = sizeof from[i],
                                                  .msg_iov = &vectors[i],
                                                  .msg_iovlen = 1,
                                                  .msg_control = control[i],
                                                  .msg_controllen = sizeof control[i]};
        }
        count = recvmmsg(sources[source].socket, messages, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++) {
            struct cmsghdr *header = CMSG_FIRSTHDR(&messages[i].msg_hdr);
            struct timespec stamp = {0};
            if (header && header->cmsg_type == SCM_TIMESTAMPNS)
                memcpy(&stamp, CMSG_DATA(header), sizeof stamp);
            texts[i][messages[i].msg_len] = 0;
            read_message(&(struct request){texts[i], source, from[i]}, stamp.tv_sec * SECOND + stamp.tv_nsec);
        }
    } while (count == BATCH);
}
