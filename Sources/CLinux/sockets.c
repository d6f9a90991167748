#define _GNU_SOURCE
#include "sockets.h"
#include "addresses.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_clock(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t clinux_monotonic_clock(void) { return read_clock(CLOCK_MONOTONIC); }
uint64_t clinux_wall_clock(void) { return read_clock(CLOCK_REALTIME); }
uint64_t clinux_thread_clock(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }
void clinux_sharpen_timers(void) { prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul); }

static int set_option(int socket, int level, int option, int value) {
    return setsockopt(socket, level, option, &value, sizeof value) == 0 ? 0 : -errno;
}

/// The privileged option may exceed the system's limit; without privileges the limit is what there is.
static void set_buffer(int socket, int forced, int option, int byte_count) {
    if (byte_count <= 0) return;
    if (set_option(socket, SOL_SOCKET, forced, byte_count) != 0) set_option(socket, SOL_SOCKET, option, byte_count);
}

static int configure(int socket, int family) {
    int failure = 0;
    if (family == AF_INET) {
        // Datagrams larger than the path are fragmented, as IKE without RFC 7383 wants it.
        failure = failure ?: set_option(socket, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
        failure = failure ?: set_option(socket, IPPROTO_IP, IP_PKTINFO, 1);
        failure = failure ?: set_option(socket, IPPROTO_IP, IP_RECVERR, 1);
    } else {
        failure = failure ?: set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        failure = failure ?: set_option(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
        failure = failure ?: set_option(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        failure = failure ?: set_option(socket, IPPROTO_IPV6, IPV6_RECVERR, 1);
    }
    failure = failure ?: set_option(socket, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    failure = failure ?: set_option(socket, SOL_SOCKET, SO_RXQ_OVFL, 1);
    return failure;
}

int clinux_udp_open(clinux_address address, uint16_t port, int receive_buffer, int send_buffer) {
    any_address name;
    socklen_t length = write_name(&name, address, port);
    int udp = socket(name.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (udp < 0) return -errno;
    int failure = configure(udp, name.any.sa_family);
    if (failure == 0) {
        set_buffer(udp, SO_RCVBUFFORCE, SO_RCVBUF, receive_buffer);
        set_buffer(udp, SO_SNDBUFFORCE, SO_SNDBUF, send_buffer);
        if (bind(udp, &name.any, length) != 0) failure = -errno;
    }
    if (failure != 0) {
        close(udp);
        return failure;
    }
    return udp;
}

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

void clinux_udp_gather(int socket) { set_option(socket, SOL_UDP, UDP_GRO, 1); }

int clinux_udp_local_port(int socket) {
    any_address name;
    socklen_t length = sizeof name;
    if (getsockname(socket, &name.any, &length) != 0) return -errno;
    return read_port(&name);
}

int clinux_udp_receive_buffer(int socket) {
    int byte_count = 0;
    socklen_t length = sizeof byte_count;
    if (getsockopt(socket, SOL_SOCKET, SO_RCVBUF, &byte_count, &length) != 0) return -errno;
    return byte_count / 2; // the kernel counts its own overhead in, and doubles what was asked for
}

int clinux_udp_take_error(int socket, clinux_icmp_error *error) {
    any_address destination;
    char control[512];
    struct iovec nothing = {.iov_base = NULL, .iov_len = 0};
    struct msghdr header = {
        .msg_name = &destination,
        .msg_namelen = sizeof destination,
        .msg_iov = &nothing,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    if (recvmsg(socket, &header, MSG_ERRQUEUE) < 0) return errno == EAGAIN ? 0 : -errno;
    memset(error, 0, sizeof *error);
    error->destination = read_address(&destination);
    error->destination_port = read_port(&destination);
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&header); part != NULL; part = CMSG_NXTHDR(&header, part)) {
        int is_v4 = part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR;
        int is_v6 = part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR;
        if (!is_v4 && !is_v6) continue;
        struct sock_extended_err details;
        memcpy(&details, CMSG_DATA(part), sizeof details);
        error->error_number = (int32_t)details.ee_errno;
        error->icmp_type = details.ee_type;
        error->icmp_code = details.ee_code;
        any_address reporter;
        memcpy(&reporter, CMSG_DATA(part) + sizeof details, sizeof reporter.v4);
        if (reporter.any.sa_family == AF_INET6) {
            memcpy(&reporter, CMSG_DATA(part) + sizeof details, sizeof reporter.v6);
        }
        if (reporter.any.sa_family != AF_UNSPEC) error->reporter = read_address(&reporter);
    }
    return 1;
}

void clinux_close(int descriptor) { close(descriptor); }
