#pragma once

#include <stddef.h>
#include <stdint.h>

// Makes all that libcrypto draws on this thread follow from a seed, until the seed is NULL again.
void cossl_set_seed(const uint8_t *seed, size_t seed_count);
