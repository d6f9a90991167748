#define _GNU_SOURCE
#include "addresses.h"
#include "sockets.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Linux 4.18 and 5.0 have them, and older headers not.
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/// How many datagrams the kernel takes or gives as one message at most: newer ones 128, and we give 64.
enum { most_segments = 64, most_gathered = 128 };

/// Room for the control messages that clinux_udp_open asks for.
typedef union {
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct timespec)) +
               CMSG_SPACE(sizeof(uint32_t)) + CMSG_SPACE(sizeof(int)) + CMSG_SPACE(64)];
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
    /// How many messages the kernel has given.
    uint64_t messages;
    struct mmsghdr *headers;
    struct iovec *vectors;
    any_address *names;
    control_room *controls;
    /// How many datagrams the last call brought, and room for them: a message that the kernel has gathered is several.
    int count;
    int datagram_room;
    clinux_datagram *datagrams;
    const uint8_t **starts;
    uint8_t *bytes;
};

void clinux_receiver_destroy(clinux_receiver *receiver) {
    free(receiver->headers);
    free(receiver->vectors);
    free(receiver->names);
    free(receiver->controls);
    free(receiver->datagrams);
    free(receiver->starts);
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
    // What is shorter than the longest datagram is never given a gathered one whole.
    receiver->datagram_room = capacity * (datagram_capacity < 65535 ? 1 : most_gathered);
    receiver->datagrams = calloc((size_t)receiver->datagram_room, sizeof *receiver->datagrams);
    receiver->starts = calloc((size_t)receiver->datagram_room, sizeof *receiver->starts);
    receiver->bytes = malloc(count * receiver->stride);
    if (!receiver->headers || !receiver->vectors || !receiver->names || !receiver->controls || !receiver->datagrams ||
        !receiver->starts || !receiver->bytes) {
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

/// Reads the control messages that the kernel has put beside a message; `wall_ahead` is how far the wall clock is ahead
/// of the monotonic one. Returns how long the datagrams are that the message was gathered from; 0 where it was not.
static size_t read_controls(
    clinux_receiver *receiver, struct msghdr *header, clinux_datagram *datagram, uint64_t wall_ahead) {
    size_t segment = 0;
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
        } else if (part->cmsg_level == SOL_UDP && part->cmsg_type == UDP_GRO) {
            int size = 0;
            memcpy(&size, CMSG_DATA(part), sizeof size);
            if (size > 0) segment = (size_t)size;
        }
    }
    return segment;
}

/// Takes a message that the kernel filled in apart into its datagrams.
static void read_message(clinux_receiver *receiver, int index, uint64_t wall_ahead) {
    struct msghdr *header = &receiver->headers[index].msg_hdr;
    size_t left = receiver->headers[index].msg_len;
    clinux_datagram datagram = {
        .remote = read_address(&receiver->names[index]),
        .remote_port = read_port(&receiver->names[index]),
        .is_truncated = (header->msg_flags & MSG_TRUNC) != 0,
    };
    size_t segment = read_controls(receiver, header, &datagram, wall_ahead);
    if (segment == 0 || segment > left) segment = left;
    const uint8_t *start = receiver->bytes + (size_t)index * receiver->stride;
    do {
        if (receiver->count == receiver->datagram_room) return;
        datagram.byte_count = (uint32_t)(left < segment ? left : segment);
        receiver->datagrams[receiver->count] = datagram;
        receiver->starts[receiver->count++] = start;
        start += datagram.byte_count;
        left -= datagram.byte_count;
    } while (left > 0);
}

int clinux_receiver_receive(clinux_receiver *receiver, int socket) {
    lay_out(receiver);
    receiver->lost = 0;
    // MSG_TRUNC: the length on the wire, even where the buffer is shorter.
    int count = recvmmsg(socket, receiver->headers, (unsigned)receiver->capacity, MSG_TRUNC, NULL);
    if (count < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    receiver->used = count;
    receiver->messages += (uint64_t)count;
    uint64_t wall_ahead = clinux_wall_clock() - clinux_monotonic_clock();
    receiver->count = 0;
    for (int index = 0; index < count; index++) read_message(receiver, index, wall_ahead);
    return receiver->count;
}

const clinux_datagram *clinux_receiver_datagram(const clinux_receiver *receiver, int index) {
    return &receiver->datagrams[index];
}

const uint8_t *clinux_receiver_bytes(const clinux_receiver *receiver, int index) {
    return receiver->starts[index];
}

uint32_t clinux_receiver_lost(const clinux_receiver *receiver) { return receiver->lost; }

uint64_t clinux_receiver_messages(const clinux_receiver *receiver) { return receiver->messages; }

struct clinux_transmitter {
    int capacity;
    int count;
    /// Whether neighbours that go the same way leave as one message, for the kernel to take apart.
    int gathers;
    size_t byte_capacity;
    size_t byte_count;
    /// How many messages the kernel has taken.
    uint64_t messages;
    /// By message, as the last call has laid them out.
    struct mmsghdr *headers;
    struct iovec *vectors;
    any_address *names;
    control_room *controls;
    int *runs;
    /// By datagram.
    clinux_datagram *datagrams;
    size_t *starts;
    uint8_t *bytes;
};

void clinux_transmitter_destroy(clinux_transmitter *transmitter) {
    free(transmitter->headers);
    free(transmitter->vectors);
    free(transmitter->names);
    free(transmitter->controls);
    free(transmitter->runs);
    free(transmitter->datagrams);
    free(transmitter->starts);
    free(transmitter->bytes);
    free(transmitter);
}

clinux_transmitter *clinux_transmitter_create(int capacity, int byte_capacity, int gathers) {
    clinux_transmitter *transmitter = calloc(1, sizeof *transmitter);
    if (transmitter == NULL) return NULL;
    size_t count = (size_t)capacity;
    transmitter->capacity = capacity;
    transmitter->gathers = gathers;
    transmitter->byte_capacity = (size_t)byte_capacity;
    transmitter->headers = calloc(count, sizeof *transmitter->headers);
    transmitter->vectors = calloc(count, sizeof *transmitter->vectors);
    transmitter->names = calloc(count, sizeof *transmitter->names);
    transmitter->controls = calloc(count, sizeof *transmitter->controls);
    transmitter->runs = calloc(count, sizeof *transmitter->runs);
    transmitter->datagrams = calloc(count, sizeof *transmitter->datagrams);
    transmitter->starts = calloc(count, sizeof *transmitter->starts);
    transmitter->bytes = malloc(transmitter->byte_capacity);
    if (!transmitter->headers || !transmitter->vectors || !transmitter->names || !transmitter->controls ||
        !transmitter->runs || !transmitter->datagrams || !transmitter->starts || !transmitter->bytes) {
        clinux_transmitter_destroy(transmitter);
        return NULL;
    }
    return transmitter;
}

/// Names the address that a datagram leaves from, for a socket that is bound to none or to all.
static size_t write_source(struct cmsghdr *part, clinux_address local) {
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

/// Says how long the datagrams are that a message is to be taken apart into.
static size_t write_segment(struct cmsghdr *part, uint16_t byte_count) {
    part->cmsg_level = SOL_UDP;
    part->cmsg_type = UDP_SEGMENT;
    part->cmsg_len = CMSG_LEN(sizeof byte_count);
    memcpy(CMSG_DATA(part), &byte_count, sizeof byte_count);
    return CMSG_SPACE(sizeof byte_count);
}

int clinux_transmitter_append(
    clinux_transmitter *transmitter, const void *bytes, int byte_count, clinux_address local, clinux_address remote,
    uint16_t remote_port, int gathers) {
    size_t length = (size_t)byte_count;
    if (transmitter->count == transmitter->capacity) return 0;
    if (transmitter->byte_capacity - transmitter->byte_count < length) return 0;
    if (length > 0) memcpy(transmitter->bytes + transmitter->byte_count, bytes, length);
    transmitter->starts[transmitter->count] = transmitter->byte_count;
    transmitter->byte_count += length;
    transmitter->datagrams[transmitter->count++] = (clinux_datagram){
        .local = local,
        .remote = remote,
        .remote_port = remote_port,
        .byte_count = (uint32_t)byte_count,
        .gathers = gathers != 0,
    };
    return 1;
}

static int goes_along(const clinux_datagram *one, const clinux_datagram *other) {
    return other->gathers && one->remote_port == other->remote_port && one->remote.low == other->remote.low &&
           one->remote.high == other->remote.high && one->local.low == other->local.low &&
           one->local.high == other->local.high;
}

/// How many datagrams from `first` on are of one length and go the same way; the last may be shorter.
static int run_from(const clinux_transmitter *transmitter, int first, int end, size_t *byte_count) {
    const clinux_datagram *leader = &transmitter->datagrams[first];
    *byte_count = leader->byte_count;
    int run = 1;
    if (!transmitter->gathers || !leader->gathers || leader->byte_count == 0) return run;
    while (first + run < end && run < most_segments) {
        const clinux_datagram *next = &transmitter->datagrams[first + run];
        if (next->byte_count > leader->byte_count || next->byte_count == 0 || !goes_along(leader, next)) break;
        if (*byte_count + next->byte_count > 65000) break;
        *byte_count += next->byte_count;
        run++;
        if (next->byte_count < leader->byte_count) break;
    }
    return run;
}

/// Makes headers for the datagrams from `first` up to `end`, and returns how many.
static unsigned lay_out_messages(clinux_transmitter *transmitter, int first, int end) {
    unsigned count = 0;
    for (int index = first; index < end; index += transmitter->runs[count++]) {
        const clinux_datagram *datagram = &transmitter->datagrams[index];
        struct iovec *vector = &transmitter->vectors[count];
        transmitter->runs[count] = run_from(transmitter, index, end, &vector->iov_len);
        vector->iov_base = transmitter->bytes + transmitter->starts[index];
        struct msghdr *header = &transmitter->headers[count].msg_hdr;
        *header = (struct msghdr){
            .msg_name = &transmitter->names[count],
            .msg_namelen = write_name(&transmitter->names[count], datagram->remote, datagram->remote_port),
            .msg_iov = vector,
            .msg_iovlen = 1,
        };
        char *controls = transmitter->controls[count].bytes;
        size_t used = 0;
        if (datagram->local.high != 0 || datagram->local.low != 0) {
            used += write_source((struct cmsghdr *)controls, datagram->local);
        }
        if (transmitter->runs[count] > 1) {
            used += write_segment((struct cmsghdr *)(controls + used), (uint16_t)datagram->byte_count);
        }
        if (used > 0) {
            header->msg_control = controls;
            header->msg_controllen = used;
        }
    }
    return count;
}

/// Whether an error is that a message cannot be taken apart: the kernel is too old, or a datagram is longer than fits a
/// packet of the way it goes.
static int is_of_gathering(int error) {
    return error == EINVAL || error == EIO || error == EMSGSIZE || error == EOPNOTSUPP || error == ENOPROTOOPT;
}

int clinux_transmitter_send(clinux_transmitter *transmitter, int socket, int first, int end) {
    while (1) {
        unsigned messages = lay_out_messages(transmitter, first, end);
        int sent;
        do {
            sent = sendmmsg(socket, transmitter->headers, messages, 0);
        } while (sent < 0 && errno == EINTR);
        if (sent < 0 && transmitter->runs[0] > 1 && is_of_gathering(errno)) {
            transmitter->gathers = 0;
            continue;
        }
        if (sent < 0) return -errno;
        transmitter->messages += (uint64_t)sent;
        int count = 0;
        for (int message = 0; message < sent; message++) count += transmitter->runs[message];
        return count;
    }
}

void clinux_transmitter_drop(clinux_transmitter *transmitter, int first) {
    int count = transmitter->count;
    if (first >= count) {
        transmitter->count = 0;
        transmitter->byte_count = 0;
        return;
    }
    // Rare: the socket was full. What is left moves to the front, so that nothing is sent twice or overtaken.
    size_t sent = transmitter->starts[first];
    memmove(transmitter->bytes, transmitter->bytes + sent, transmitter->byte_count - sent);
    transmitter->byte_count -= sent;
    transmitter->count = count - first;
    for (int index = 0; index < transmitter->count; index++) {
        transmitter->datagrams[index] = transmitter->datagrams[first + index];
        transmitter->starts[index] = transmitter->starts[first + index] - sent;
    }
}

int clinux_transmitter_count(const clinux_transmitter *transmitter) { return transmitter->count; }

uint64_t clinux_transmitter_messages(const clinux_transmitter *transmitter) { return transmitter->messages; }

const clinux_datagram *clinux_transmitter_datagram(const clinux_transmitter *transmitter, int index) {
    return &transmitter->datagrams[index];
}
