#pragma once

// Addresses between the kernel's structs and ours. Not for Swift: <netinet/in.h> needs _GNU_SOURCE for the rest.

#include "sockets.h"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/// Room for an address of either family.
typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} any_address;

static inline int is_v4(clinux_address address) { return address.high == 0 && address.low >> 32 == 0xFFFF; }

static inline clinux_address from_v4(struct in_addr address) {
    return (clinux_address){.high = 0, .low = 0xFFFF00000000u | ntohl(address.s_addr)};
}

static inline clinux_address from_v6(const struct in6_addr *address) {
    clinux_address halves;
    memcpy(&halves, address, sizeof halves);
    return (clinux_address){.high = be64toh(halves.high), .low = be64toh(halves.low)};
}

static inline struct in_addr to_v4(clinux_address address) {
    return (struct in_addr){.s_addr = htonl((uint32_t)address.low)};
}

static inline struct in6_addr to_v6(clinux_address address) {
    clinux_address halves = {.high = htobe64(address.high), .low = htobe64(address.low)};
    struct in6_addr result;
    memcpy(&result, &halves, sizeof result);
    return result;
}

static inline socklen_t write_name(any_address *name, clinux_address address, uint16_t port) {
    memset(name, 0, sizeof *name);
    if (is_v4(address)) {
        name->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = to_v4(address)};
        return sizeof name->v4;
    }
    name->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = to_v6(address)};
    return sizeof name->v6;
}

static inline clinux_address read_address(const any_address *name) {
    return name->any.sa_family == AF_INET ? from_v4(name->v4.sin_addr) : from_v6(&name->v6.sin6_addr);
}

static inline uint16_t read_port(const any_address *name) {
    return ntohs(name->any.sa_family == AF_INET ? name->v4.sin_port : name->v6.sin6_port);
}
