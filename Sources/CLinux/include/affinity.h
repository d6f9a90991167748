#pragma once

// CPU affinity and NUMA nodes of Linux: what glibc keeps in macros or behind _GNU_SOURCE, in plain numbers.
// Each function returns 0 or a count where it succeeds, and a negative errno where it fails.

/// Writes the CPUs that the calling thread may run on, in ascending order; returns their count.
int clinux_allowed_cpus(int *_Nonnull cpus, int capacity);

/// Lets the calling thread run on one CPU only.
int clinux_pin_to_cpu(int cpu);

/// The CPU that the calling thread runs on now.
int clinux_current_cpu(void);

/// The NUMA node of a CPU as /sys says; 0 where the machine has no nodes.
int clinux_node_of_cpu(int cpu);
