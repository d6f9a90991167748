#define _GNU_SOURCE
#include "addresses.h"
#include "sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/// Room for the control messages that clinux_udp_open asks for.
typedef union {
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct timespec)) +
               CMSG_SPACE(sizeof(uint32_t)) + CMSG_SPACE(64)];
    struct cmsghdr alignment;
} control_room;

struct clinux_receiver {
    int capacity;
    int datagram_capacity;
    /// Datagrams lie this far apart. Not a power of two, which would crowd them all into the same lines of the cache.
    size_t stride;
    /// How many headers the last call filled in, and that have to be laid out anew.
    int used;
    uint32_t lost;
    struct mmsghdr *headers;
    struct iovec *vectors;
    any_address *names;
    control_room *controls;
    clinux_datagram *datagrams;
    uint8_t *bytes;
};

void clinux_receiver_destroy(clinux_receiver *receiver) {
    free(receiver->headers);
    free(receiver->vectors);
    free(receiver->names);
    free(receiver->controls);
    free(receiver->datagrams);
    free(receiver->bytes);
    free(receiver);
}

clinux_receiver *clinux_receiver_create(int capacity, int datagram_capacity) {
    clinux_receiver *receiver = calloc(1, sizeof *receiver);
    if (receiver == NULL) return NULL;
    size_t count = (size_t)capacity;
    receiver->capacity = capacity;
    receiver->datagram_capacity = datagram_capacity;
    receiver->stride = ((size_t)datagram_capacity + 127) / 128 * 128 + 192;
    receiver->used = capacity;
    receiver->headers = calloc(count, sizeof *receiver->headers);
    receiver->vectors = calloc(count, sizeof *receiver->vectors);
    receiver->names = calloc(count, sizeof *receiver->names);
    receiver->controls = calloc(count, sizeof *receiver->controls);
    receiver->datagrams = calloc(count, sizeof *receiver->datagrams);
    receiver->bytes = malloc(count * receiver->stride);
    if (!receiver->headers || !receiver->vectors || !receiver->names || !receiver->controls || !receiver->datagrams ||
        !receiver->bytes) {
        clinux_receiver_destroy(receiver);
        return NULL;
    }
    return receiver;
}

static void lay_out(clinux_receiver *receiver) {
    for (int index = 0; index < receiver->used; index++) {
        receiver->vectors[index] = (struct iovec){
            .iov_base = receiver->bytes + (size_t)index * receiver->stride,
            .iov_len = (size_t)receiver->datagram_capacity,
        };
        receiver->headers[index].msg_hdr = (struct msghdr){
            .msg_name = &receiver->names[index],
            .msg_namelen = sizeof receiver->names[index],
            .msg_iov = &receiver->vectors[index],
            .msg_iovlen = 1,
            .msg_control = &receiver->controls[index],
            .msg_controllen = sizeof receiver->controls[index],
        };
    }
    receiver->used = 0;
}

/// Reads a header that the kernel filled in; `wall_ahead` is how far the wall clock is ahead of the monotonic one.
static void read_header(clinux_receiver *receiver, int index, uint64_t wall_ahead) {
    struct msghdr *header = &receiver->headers[index].msg_hdr;
    clinux_datagram *datagram = &receiver->datagrams[index];
    *datagram = (clinux_datagram){
        .remote = read_address(&receiver->names[index]),
        .remote_port = read_port(&receiver->names[index]),
        .byte_count = receiver->headers[index].msg_len,
        .is_truncated = (header->msg_flags & MSG_TRUNC) != 0,
    };
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL; part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(part), sizeof info);
            datagram->local = from_v4(info.ipi_addr);
        } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(part), sizeof info);
            datagram->local = from_v6(&info.ipi6_addr);
        } else if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_TIMESTAMPNS) {
            struct timespec time;
            memcpy(&time, CMSG_DATA(part), sizeof time);
            uint64_t wall = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
            datagram->arrival = wall > wall_ahead ? wall - wall_ahead : 0;
        } else if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_RXQ_OVFL) {
            memcpy(&receiver->lost, CMSG_DATA(part), sizeof receiver->lost);
        }
    }
}

int clinux_receiver_receive(clinux_receiver *receiver, int socket) {
    lay_out(receiver);
    receiver->lost = 0;
    // MSG_TRUNC: the length on the wire, even where the buffer is shorter.
    int count = recvmmsg(socket, receiver->headers, (unsigned)receiver->capacity, MSG_TRUNC, NULL);
    if (count < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    receiver->used = count;
    uint64_t wall_ahead = clinux_wall_clock() - clinux_monotonic_clock();
    for (int index = 0; index < count; index++) read_header(receiver, index, wall_ahead);
    return count;
}

const clinux_datagram *clinux_receiver_datagram(const clinux_receiver *receiver, int index) {
    return &receiver->datagrams[index];
}

const uint8_t *clinux_receiver_bytes(const clinux_receiver *receiver, int index) {
    return receiver->bytes + (size_t)index * receiver->stride;
}

uint32_t clinux_receiver_lost(const clinux_receiver *receiver) { return receiver->lost; }

struct clinux_transmitter {
    int capacity;
    int count;
    size_t byte_capacity;
    size_t byte_count;
    struct mmsghdr *headers;
    struct iovec *vectors;
    any_address *names;
    control_room *controls;
    clinux_datagram *datagrams;
    uint8_t *bytes;
};

void clinux_transmitter_destroy(clinux_transmitter *transmitter) {
    free(transmitter->headers);
    free(transmitter->vectors);
    free(transmitter->names);
    free(transmitter->controls);
    free(transmitter->datagrams);
    free(transmitter->bytes);
    free(transmitter);
}

clinux_transmitter *clinux_transmitter_create(int capacity, int byte_capacity) {
    clinux_transmitter *transmitter = calloc(1, sizeof *transmitter);
    if (transmitter == NULL) return NULL;
    size_t count = (size_t)capacity;
    transmitter->capacity = capacity;
    transmitter->byte_capacity = (size_t)byte_capacity;
    transmitter->headers = calloc(count, sizeof *transmitter->headers);
    transmitter->vectors = calloc(count, sizeof *transmitter->vectors);
    transmitter->names = calloc(count, sizeof *transmitter->names);
    transmitter->controls = calloc(count, sizeof *transmitter->controls);
    transmitter->datagrams = calloc(count, sizeof *transmitter->datagrams);
    transmitter->bytes = malloc(transmitter->byte_capacity);
    if (!transmitter->headers || !transmitter->vectors || !transmitter->names || !transmitter->controls ||
        !transmitter->datagrams || !transmitter->bytes) {
        clinux_transmitter_destroy(transmitter);
        return NULL;
    }
    return transmitter;
}

/// Names the address that a datagram leaves from, for a socket that is bound to none or to all.
static size_t write_source(control_room *control, clinux_address local) {
    struct cmsghdr *part = &control->alignment;
    if (is_v4(local)) {
        struct in_pktinfo info = {.ipi_spec_dst = to_v4(local)};
        part->cmsg_level = IPPROTO_IP;
        part->cmsg_type = IP_PKTINFO;
        part->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(part), &info, sizeof info);
        return CMSG_SPACE(sizeof info);
    }
    struct in6_pktinfo info = {.ipi6_addr = to_v6(local)};
    part->cmsg_level = IPPROTO_IPV6;
    part->cmsg_type = IPV6_PKTINFO;
    part->cmsg_len = CMSG_LEN(sizeof info);
    memcpy(CMSG_DATA(part), &info, sizeof info);
    return CMSG_SPACE(sizeof info);
}

/// Makes a header for a datagram whose bytes lie behind those of the others.
static void add_header(clinux_transmitter *transmitter, clinux_datagram datagram) {
    int index = transmitter->count++;
    struct iovec *vector = &transmitter->vectors[index];
    *vector = (struct iovec){
        .iov_base = transmitter->bytes + transmitter->byte_count,
        .iov_len = datagram.byte_count,
    };
    transmitter->byte_count += datagram.byte_count;
    struct msghdr *header = &transmitter->headers[index].msg_hdr;
    *header = (struct msghdr){
        .msg_name = &transmitter->names[index],
        .msg_namelen = write_name(&transmitter->names[index], datagram.remote, datagram.remote_port),
        .msg_iov = vector,
        .msg_iovlen = 1,
    };
    if (datagram.local.high != 0 || datagram.local.low != 0) {
        header->msg_control = &transmitter->controls[index];
        header->msg_controllen = write_source(&transmitter->controls[index], datagram.local);
    }
    transmitter->datagrams[index] = datagram;
}

int clinux_transmitter_append(
    clinux_transmitter *transmitter, const void *bytes, int byte_count, clinux_address local, clinux_address remote,
    uint16_t remote_port) {
    size_t length = (size_t)byte_count;
    if (transmitter->count == transmitter->capacity) return 0;
    if (transmitter->byte_capacity - transmitter->byte_count < length) return 0;
    if (length > 0) memcpy(transmitter->bytes + transmitter->byte_count, bytes, length);
    add_header(
        transmitter, (clinux_datagram){
                         .local = local,
                         .remote = remote,
                         .remote_port = remote_port,
                         .byte_count = (uint32_t)byte_count,
                     });
    return 1;
}

int clinux_transmitter_send(clinux_transmitter *transmitter, int socket, int first, int end) {
    int count;
    do {
        count = sendmmsg(socket, transmitter->headers + first, (unsigned)(end - first), 0);
    } while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

void clinux_transmitter_drop(clinux_transmitter *transmitter, int first) {
    int count = transmitter->count;
    size_t byte_count = transmitter->byte_count;
    transmitter->count = 0;
    transmitter->byte_count = 0;
    if (first >= count) return;
    // Rare: the socket was full. What is left moves to the front, so that nothing is sent twice or overtaken.
    size_t sent = (size_t)((uint8_t *)transmitter->vectors[first].iov_base - transmitter->bytes);
    memmove(transmitter->bytes, transmitter->bytes + sent, byte_count - sent);
    for (int index = first; index < count; index++) add_header(transmitter, transmitter->datagrams[index]);
}

int clinux_transmitter_count(const clinux_transmitter *transmitter) { return transmitter->count; }

const clinux_datagram *clinux_transmitter_datagram(const clinux_transmitter *transmitter, int index) {
    return &transmitter->datagrams[index];
}
