#define _GNU_SOURCE
#include "affinity.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

// What all arrivals write is on another cache line than what all waiters read.
struct clinux_barrier {
    _Alignas(128) atomic_uint missing;
    atomic_uint sleepers;
    _Alignas(128) _Atomic uint32_t round;
    unsigned threads;
    unsigned spins;
};

clinux_barrier *clinux_barrier_make(unsigned threads, unsigned spins) {
    clinux_barrier *barrier = aligned_alloc(_Alignof(clinux_barrier), sizeof *barrier);
    if (barrier == NULL) return NULL;
    atomic_init(&barrier->missing, threads);
    atomic_init(&barrier->sleepers, 0);
    atomic_init(&barrier->round, 0);
    barrier->threads = threads;
    barrier->spins = spins;
    return barrier;
}

void clinux_barrier_free(clinux_barrier *barrier) { free(barrier); }

static void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

int clinux_barrier_arrive(clinux_barrier *barrier) {
    uint32_t round = atomic_load_explicit(&barrier->round, memory_order_acquire);
    if (atomic_fetch_sub_explicit(&barrier->missing, 1, memory_order_acq_rel) == 1) return 1;

    for (unsigned spin = 0; spin < barrier->spins; spin++) {
        if (atomic_load_explicit(&barrier->round, memory_order_acquire) != round) return 0;
        pause_briefly();
    }
    // The releaser changes the round and then looks for sleepers; we count ourselves and then, in the kernel, look at
    // the round. In the one order of sequentially consistent operations, one of the two sees the other.
    atomic_fetch_add(&barrier->sleepers, 1);
    while (atomic_load(&barrier->round) == round) {
        syscall(SYS_futex, &barrier->round, FUTEX_WAIT_PRIVATE, round, NULL, NULL, 0);
    }
    atomic_fetch_sub(&barrier->sleepers, 1);
    return 0;
}

void clinux_barrier_release(clinux_barrier *barrier) {
    atomic_store_explicit(&barrier->missing, barrier->threads, memory_order_relaxed);
    atomic_fetch_add(&barrier->round, 1);
    if (atomic_load(&barrier->sleepers) > 0) {
        syscall(SYS_futex, &barrier->round, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
    }
}
