// The allocator of the commands. To link it is to use it: it takes the place of malloc and free for the whole process.
//
// A simulation fills hundreds of megabytes with clients once and then walks through them in the order of virtual time.
// With pages of 4 KiB a seventh of its time is the kernel handing out pages, and each step misses the TLB.

#include "CMemory.h"

#include <mimalloc.h>

int cmemory_allocator_version(void) { return mi_version(); }

// Before main, behind which most memory is asked for. The environment has no say: runs are compared by their memory.
__attribute__((constructor)) static void choose_large_pages(void) { mi_option_enable(mi_option_large_os_pages); }
