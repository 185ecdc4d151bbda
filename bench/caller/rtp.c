/* RTP of one call: sends a frame when told to, checks and times what arrives. RFC 3550, RFC 4733. */
#define _GNU_SOURCE
#include "caller.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEADER 12
#define PCMU 0
#define MAGIC 0x4f495652u
#define KEY 1
#define KEY_FRAMES 5   /* 100 ms, then the end twice more */
#define KEY_PATIENCE (2 * SECOND)
#define BATCH 16

/* Audio that tells where and when it was sent, so that the other end can check it. */
struct stamp {
    uint32_t magic, index;
    uint64_t frame;
    ns sent;
};

void rtp_open(struct call *call)
{
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr = source_address(call->source)};
    socklen_t size = sizeof local;
    int on = 1;
    call->socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (call->socket < 0 || bind(call->socket, (struct sockaddr *)&local, sizeof local)
        || setsockopt(call->socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on)
        || getsockname(call->socket, (struct sockaddr *)&local, &size)) {
        perror("RTP socket");
        exit(2);
    }
    call->port = ntohs(local.sin_port);
}

/* Drop what is in the socket from an earlier call. */
static void drain(int socket)
{
    char rest[2048];
    while (recv(socket, rest, sizeof rest, 0) >= 0)
        ;
}

void rtp_begin(struct call *call, const struct sockaddr_in *peer, ns at)
{
    if (connect(call->socket, (const struct sockaddr *)peer, sizeof *peer))
        perror("RTP connect");
    drain(call->socket);
    call->connected = true;
    call->sequence = (uint16_t)random();
    call->timestamp = (uint32_t)random();
    call->ssrc = (uint32_t)random();
    call->frame = call->their_frame = 0;
    call->key_frames = 0;
    call->key_sent = 0;
    call->heard = false;
    call->heard_at = at;
    call->prompt = -1;
    call->partner = -1;
    /* Keys are pressed at times that have nothing to do with the frames of the server. */
    call->next_key = at + (ns)(options.keys * (double)SECOND * (0.5 + (double)random() / RAND_MAX));
}

/* Bytes of a telephone-event: the key's number, end and volume, duration. */
static int put_key(struct call *call, unsigned char *payload)
{
    bool end = call->key_frames >= KEY_FRAMES;
    uint16_t duration = htons((uint16_t)(SAMPLES * (end ? KEY_FRAMES : call->key_frames)));
    payload[0] = KEY;
    payload[1] = (unsigned char)((end ? 0x80 : 0) | 10);
    memcpy(payload + 2, &duration, 2);
    return 4;
}

static int put_audio(const struct call *call, unsigned char *payload, ns at)
{
    memset(payload, 0xff, SAMPLES); /* silence in PCMU */
    if (options.answer) {
        struct stamp stamp = {MAGIC, (uint32_t)call->index, call->frame, at};
        memcpy(payload, &stamp, sizeof stamp);
    }
    return SAMPLES;
}

static void press_when_due(struct call *call, ns at)
{
    if (call->key_sent && at - call->key_sent > KEY_PATIENCE) {
        results.unheard += measuring;
        call->key_sent = 0;
    }
    if (!call->event_type || call->key_frames || call->key_sent || at < call->next_key || call->prompt < 0)
        return;
    call->key_frames = 1;
    call->key_timestamp = call->timestamp;
    call->key_sent = at;
    call->next_key = at + (ns)(options.keys * (double)SECOND);
    results.keys += measuring;
}

void rtp_send(struct call *call, ns due)
{
    unsigned char packet[HEADER + SAMPLES];
    ns at = now();
    if (options.keys > 0)
        press_when_due(call, at);
    bool pressing = call->key_frames > 0, first = pressing && call->key_frames == 1;
    uint16_t sequence = htons(call->sequence++);
    uint32_t timestamp = htonl(pressing ? call->key_timestamp : call->timestamp), ssrc = htonl(call->ssrc);
    packet[0] = 0x80;
    packet[1] = (unsigned char)(pressing ? call->event_type | (first ? 0x80 : 0) : PCMU);
    memcpy(packet + 2, &sequence, 2);
    memcpy(packet + 4, &timestamp, 4);
    memcpy(packet + 8, &ssrc, 4);
    int size = pressing ? put_key(call, packet + HEADER) : put_audio(call, packet + HEADER, at);
    if (pressing && ++call->key_frames > KEY_FRAMES + 2)
        call->key_frames = 0;
    if (!options.audio && !pressing)
        return;
    if (first)
        call->key_sent = now();
    if (send(call->socket, packet, (size_t)(HEADER + size), 0) < 0 && errno != ECONNREFUSED)
        perror("RTP send");
    call->timestamp += SAMPLES;
    call->frame++;
    if (measuring) {
        results.sent++;
        distribution_add(&results.late, at - due);
    }
}

/* Which of the two prompts this is, by how loud it is: 0 the loud one, 1 the other, -1 neither. PCMU. */
static int recognise(const unsigned char *payload, size_t size)
{
    if (size <= SAMPLES / 2)
        return -1;
    unsigned code = ~payload[SAMPLES / 2] & 0x7f; /* magnitude: exponent and mantissa */
    int magnitude = (((int)(code & 15) << 3) + 0x84) << (code >> 4);
    magnitude -= 0x84;
    return magnitude > 5000 ? 0 : magnitude > 500 ? 1 : -1;
}

static void hear_prompt(struct call *call, int prompt, ns at)
{
    if (prompt < 0)
        return;
    if (call->key_sent && prompt != call->prompt) {
        if (measuring)
            distribution_add(&results.key, at - call->key_sent);
        call->key_sent = 0;
    }
    call->prompt = prompt;
}

/* Check audio against what the other end of a bridged call sent. */
static void check_through(struct call *call, const unsigned char *payload, size_t size, ns at)
{
    struct stamp stamp;
    if (size < sizeof stamp)
        return;
    memcpy(&stamp, payload, sizeof stamp);
    bool ours = stamp.magic == MAGIC && stamp.index < (uint32_t)places;
    if (ours && call->partner < 0)
        call->partner = (int)stamp.index;
    if (!ours || call->partner != (int)stamp.index) {
        results.stray += measuring;
        return;
    }
    if (measuring) {
        if (call->their_frame && stamp.frame > call->their_frame + 1)
            results.lost += stamp.frame - call->their_frame - 1;
        distribution_add(&results.through, at - stamp.sent);
    }
    call->their_frame = stamp.frame;
}

/* Count a packet. Where a mark says that the stream begins anew, there is no interval to measure. */
static void count(struct call *call, const unsigned char *packet, size_t size, ns at)
{
    uint16_t sequence;
    uint32_t timestamp, ssrc;
    memcpy(&sequence, packet + 2, 2);
    memcpy(&timestamp, packet + 4, 4);
    memcpy(&ssrc, packet + 8, 4);
    sequence = ntohs(sequence);
    timestamp = ntohl(timestamp);
    bool marked = packet[1] & 0x80;
    if (measuring) {
        results.received++;
        if (call->heard && ssrc == call->their_ssrc) {
            int16_t step = (int16_t)(sequence - call->their_sequence);
            ns between = at - call->heard_at;
            if (step > 1 && !options.answer)
                results.lost += (uint64_t)(step - 1);
            if (step == 1 && !marked) {
                ns apart = between - (int32_t)(timestamp - call->their_timestamp) * (ns)125000;
                distribution_add(&results.jitter, apart < 0 ? -apart : apart);
            }
        }
    }
    call->heard = true;
    call->their_sequence = sequence;
    call->their_timestamp = timestamp;
    call->their_ssrc = ssrc;
    call->heard_at = at;
    if (options.answer)
        check_through(call, packet + HEADER, size - HEADER, at);
    else if (options.keys > 0)
        hear_prompt(call, recognise(packet + HEADER, size - HEADER), at);
}

void rtp_receive(struct call *call)
{
    unsigned char packets[BATCH][256];
    char control[BATCH][64];
    struct iovec vectors[BATCH];
    struct mmsghdr messages[BATCH];
    int count_read;
    do {
        for (int i = 0; i < BATCH; i++) {
            vectors[i] = (struct iovec){packets[i], sizeof packets[i]};
            messages[i].msg_hdr = (struct msghdr){
                .msg_iov = &vectors[i], .msg_iovlen = 1, .msg_control = control[i], .msg_controllen = sizeof control[i]};
        }
        count_read = recvmmsg(call->socket, messages, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count_read; i++) {
            struct cmsghdr *header = CMSG_FIRSTHDR(&messages[i].msg_hdr);
            struct timespec stamp;
            if (!header || header->cmsg_type != SCM_TIMESTAMPNS || messages[i].msg_len <= HEADER)
                continue;
            memcpy(&stamp, CMSG_DATA(header), sizeof stamp);
            int type = packets[i][1] & 0x7f;
            if (type == PCMU || type == 8)
                count(call, packets[i], messages[i].msg_len, stamp.tv_sec * SECOND + stamp.tv_nsec);
        }
    } while (count_read == BATCH);
}
