#pragma once

// Which way packets go, and how many sockets there may be.

#include "sockets.h"

/// The address that the kernel sends from towards a destination; 0, or a negative errno when there is no way to it.
int clinux_source_towards(clinux_address destination, clinux_address *_Nonnull source);

/// Raises the limit of open files as far as the system lets; returns it, or a negative errno.
long clinux_raise_file_limit(void);
