#define _GNU_SOURCE
#include "affinity.h"

#include <dirent.h>
#include <errno.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// More CPUs than any Linux kernel is built for (CONFIG_NR_CPUS is 8192 at most).
enum { max_cpus = 8192 };

int clinux_allowed_cpus(int *cpus, int capacity) {
    cpu_set_t *set = CPU_ALLOC(max_cpus);
    if (set == NULL) return -ENOMEM;
    size_t size = CPU_ALLOC_SIZE(max_cpus);
    CPU_ZERO_S(size, set);
    if (sched_getaffinity(0, size, set) != 0) {
        int error = errno;
        CPU_FREE(set);
        return -error;
    }
    int count = 0;
    for (int cpu = 0; cpu < max_cpus && count < capacity; cpu++) {
        if (CPU_ISSET_S(cpu, size, set)) cpus[count++] = cpu;
    }
    CPU_FREE(set);
    return count;
}

static int limit_to_cpu(pthread_attr_t *attributes, int cpu) {
    if (cpu >= max_cpus) return EINVAL;
    cpu_set_t *set = CPU_ALLOC(max_cpus);
    if (set == NULL) return ENOMEM;
    size_t size = CPU_ALLOC_SIZE(max_cpus);
    CPU_ZERO_S(size, set);
    CPU_SET_S(cpu, size, set);
    int error = pthread_attr_setaffinity_np(attributes, size, set);
    CPU_FREE(set);
    return error;
}

int clinux_thread_start(unsigned long *thread, int cpu, void *(*body)(void *), void *context) {
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0) return -error;
    if (cpu >= 0) error = limit_to_cpu(&attributes, cpu);
    if (error == 0) error = pthread_create(thread, &attributes, body, context);
    pthread_attr_destroy(&attributes);
    return -error;
}

int clinux_thread_join(unsigned long thread) { return -pthread_join(thread, NULL); }

int clinux_current_cpu(void) {
    int cpu = sched_getcpu();
    return cpu < 0 ? -errno : cpu;
}

int clinux_nodes_of_addresses(const unsigned long *addresses, int count, int *nodes) {
    if (count <= 0) return 0;
    // Without target nodes move_pages moves nothing and says where each page is. The C library does not wrap it.
    return syscall(SYS_move_pages, 0, (unsigned long)count, addresses, NULL, nodes, 0) < 0 ? -errno : 0;
}

int clinux_keep_memory_local(void) {
    int policy = MPOL_DEFAULT;
    if (syscall(SYS_get_mempolicy, &policy, NULL, 0UL, NULL, 0UL) < 0) return -errno;
    if (policy != MPOL_DEFAULT) return 0;
    return syscall(SYS_set_mempolicy, MPOL_LOCAL, NULL, 0UL) < 0 ? -errno : 0;
}

int clinux_node_of_cpu(const char *root, int cpu) {
    // The CPU's directory holds a link named after its node: /sys/devices/system/cpu/cpu3/node0.
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/devices/system/cpu/cpu%d", root, cpu);
    if (length < 0 || (size_t)length >= sizeof path) return 0;
    DIR *directory = opendir(path);
    if (directory == NULL) return 0;
    int node = 0;
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        if (strncmp(entry->d_name, "node", 4) != 0) continue;
        char *end;
        long number = strtol(entry->d_name + 4, &end, 10);
        if (end != entry->d_name + 4 && *end == 0) node = (int)number;
    }
    closedir(directory);
    return node;
}
