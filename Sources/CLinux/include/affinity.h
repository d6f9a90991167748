#pragma once

// CPU affinity and NUMA nodes of Linux: what glibc keeps in macros or behind _GNU_SOURCE, in plain numbers.
// Each function returns 0 or a count where it succeeds, and a negative errno where it fails.

/// Writes the CPUs that the calling thread may run on, in ascending order; returns their count.
int clinux_allowed_cpus(int *_Nonnull cpus, int capacity);

/// The CPU that the calling thread runs on now.
int clinux_current_cpu(void);

/// The NUMA node of a CPU as a sysfs says that is mounted at `root`; 0 where the machine has no nodes.
int clinux_node_of_cpu(const char *_Nonnull root, int cpu);

/// Writes for each address the NUMA node that its page is on, or a negative errno where it is on none yet; returns 0.
int clinux_nodes_of_addresses(const unsigned long *_Nonnull addresses, int count, int *_Nonnull nodes);

/// Has the pages that the calling thread touches first stay on its CPU's node, where no other policy was inherited:
/// else the kernel moves pages, from time to time, to whoever has read them last. Returns 0 where it changes nothing.
int clinux_keep_memory_local(void);

/// Starts a thread on one CPU, or on any where `cpu` is negative. It must be joined.
int clinux_thread_start(
    unsigned long *_Nonnull thread, int cpu, void *_Nullable (*_Nonnull body)(void *_Nullable),
    void *_Nullable context);
int clinux_thread_join(unsigned long thread);

/// A barrier for rounds of work: the last to arrive works alone, then lets the others go on.
///
/// Who waits spins first, where there is a core for each, and then sleeps in the kernel.
typedef struct clinux_barrier clinux_barrier;

/// Makes a barrier for so many threads, or null where memory is out; `spins` is how often to look before sleeping.
clinux_barrier *_Nullable clinux_barrier_make(unsigned threads, unsigned spins);
void clinux_barrier_free(clinux_barrier *_Nonnull barrier);

/// Arrives. The last thread of a round gets 1 at once and has to call release; the others get 0 once it has.
int clinux_barrier_arrive(clinux_barrier *_Nonnull barrier);
void clinux_barrier_release(clinux_barrier *_Nonnull barrier);
