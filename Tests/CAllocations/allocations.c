// Counts allocations: a program's own malloc comes before that of glibc, which has it by another name as well.
#include "CAllocations.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

extern void *__libc_malloc(size_t count);
extern void *__libc_calloc(size_t number, size_t count);
extern void *__libc_realloc(void *place, size_t count);
extern void *__libc_memalign(size_t alignment, size_t count);

static _Atomic uint64_t of_process;
static _Thread_local uint64_t of_thread;

static void note(void) {
    atomic_fetch_add_explicit(&of_process, 1, memory_order_relaxed);
    of_thread += 1;
}

uint64_t callocations_of_thread(void) { return of_thread; }

uint64_t callocations_of_process(void) { return atomic_load_explicit(&of_process, memory_order_relaxed); }

void *malloc(size_t count) {
    note();
    return __libc_malloc(count);
}

void *calloc(size_t number, size_t count) {
    note();
    return __libc_calloc(number, count);
}

void *realloc(void *place, size_t count) {
    note();
    return __libc_realloc(place, count);
}

void *memalign(size_t alignment, size_t count) {
    note();
    return __libc_memalign(alignment, count);
}

void *aligned_alloc(size_t alignment, size_t count) { return memalign(alignment, count); }

int posix_memalign(void **place, size_t alignment, size_t count) {
    *place = memalign(alignment, count);
    return *place ? 0 : ENOMEM;
}
