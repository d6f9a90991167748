#pragma once

/// Asks for the cache line at an address, which is read soon. The address may be anything: nothing is read.
static inline void prefetch_line(const void *address) { __builtin_prefetch(address, 0, 3); }
