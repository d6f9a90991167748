#define _GNU_SOURCE
#include "affinity.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int clinux_pin_to_cpu(int cpu) {
    if (cpu < 0 || cpu >= max_cpus) return -EINVAL;
    cpu_set_t *set = CPU_ALLOC(max_cpus);
    if (set == NULL) return -ENOMEM;
    size_t size = CPU_ALLOC_SIZE(max_cpus);
    CPU_ZERO_S(size, set);
    CPU_SET_S(cpu, size, set);
    int result = sched_setaffinity(0, size, set) == 0 ? 0 : -errno;
    CPU_FREE(set);
    return result;
}

int clinux_current_cpu(void) {
    int cpu = sched_getcpu();
    return cpu < 0 ? -errno : cpu;
}

int clinux_node_of_cpu(int cpu) {
    // The CPU's directory holds a link named after its node: /sys/devices/system/cpu/cpu3/node0.
    char path[64];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d", cpu);
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
