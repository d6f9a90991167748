#ifndef CALLOCATIONS_H
#define CALLOCATIONS_H

#include <stdint.h>

/// How often this thread has asked the allocator for memory.
uint64_t callocations_of_thread(void);

/// How often the whole process has.
uint64_t callocations_of_process(void);

#endif
