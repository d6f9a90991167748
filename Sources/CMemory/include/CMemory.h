#ifndef CMEMORY_H
#define CMEMORY_H

/// The version of mimalloc, from which the process has all of its memory: major * 100 + minor * 10 + patch.
int cmemory_allocator_version(void);

#endif
