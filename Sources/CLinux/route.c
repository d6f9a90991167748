#define _GNU_SOURCE
#include "route.h"
#include "addresses.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

int clinux_source_towards(clinux_address destination, clinux_address *source) {
    any_address name;
    socklen_t length = write_name(&name, destination, 500);
    int udp = socket(name.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (udp < 0) return -errno;
    // Connecting a UDP socket sends nothing: the kernel only looks the route up.
    int failure = connect(udp, &name.any, length) == 0 ? 0 : -errno;
    length = sizeof name;
    if (failure == 0 && getsockname(udp, &name.any, &length) != 0) failure = -errno;
    if (failure == 0) *source = read_address(&name);
    close(udp);
    return failure;
}

long clinux_raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -errno;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return -errno;
    return (long)limit.rlim_cur;
}
