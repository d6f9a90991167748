#define _GNU_SOURCE
#include "sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { most_events = 256 };

int clinux_epoll_create(void) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    return epoll < 0 ? -errno : epoll;
}

int clinux_epoll_watch(int epoll, int descriptor, uint64_t token, uint32_t readiness) {
    struct epoll_event event = {.data.u64 = token};
    if (readiness & clinux_readable) event.events |= EPOLLIN;
    if (readiness & clinux_writable) event.events |= EPOLLOUT;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0) return 0;
    if (errno != EEXIST) return -errno;
    return epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) == 0 ? 0 : -errno;
}

int clinux_epoll_forget(int epoll, int descriptor) {
    return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, NULL) == 0 ? 0 : -errno;
}

/// Linux before 5.11 counts in milliseconds; round up, for a deadline that is not over yet would be waited for again.
static int wait_for_milliseconds(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds) {
    int64_t milliseconds = nanoseconds < 0 ? -1 : nanoseconds / 1000000 + (nanoseconds % 1000000 != 0);
    return epoll_wait(epoll, events, capacity, milliseconds > 3600000 ? 3600000 : (int)milliseconds);
}

int clinux_epoll_wait(int epoll, clinux_ready *ready, int capacity, int64_t nanoseconds) {
    struct epoll_event events[most_events];
    if (capacity > most_events) capacity = most_events;
    struct timespec time = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int count = epoll_pwait2(epoll, events, capacity, nanoseconds < 0 ? NULL : &time, NULL);
    if (count < 0 && errno == ENOSYS) count = wait_for_milliseconds(epoll, events, capacity, nanoseconds);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int index = 0; index < count; index++) {
        uint32_t readiness = 0;
        if (events[index].events & EPOLLIN) readiness |= clinux_readable;
        if (events[index].events & EPOLLOUT) readiness |= clinux_writable;
        if (events[index].events & (EPOLLERR | EPOLLHUP)) readiness |= clinux_failed;
        ready[index] = (clinux_ready){.token = events[index].data.u64, .readiness = readiness};
    }
    return count;
}

int clinux_eventfd_create(void) {
    int descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

void clinux_eventfd_signal(int descriptor) {
    // Its only failure is a counter that is full, and then the other side is awake already.
    eventfd_write(descriptor, 1);
}

void clinux_eventfd_clear(int descriptor) {
    eventfd_t count;
    eventfd_read(descriptor, &count);
}
