// Lanes: what lies one behind the other becomes what libcrypto_mb takes, pointers and limbs.
#pragma once

#include <stdint.h>
#include <string.h>

#include "library.h"

// The barrier keeps the compiler from dropping a store that nobody reads.
static inline void wipe(void *memory, size_t octet_count) {
    memset(memory, 0, octet_count);
    __asm__ __volatile__("" : : "r"(memory) : "memory");
}

// Points each lane that is used to its octets; lanes that are not used stay NULL.
static inline void point_in(const uint8_t *lanes[8], const uint8_t *octets, size_t stride, uint32_t count) {
    for (uint32_t lane = 0; lane < 8; lane++) lanes[lane] = lane < count ? octets + lane * stride : NULL;
}

static inline void point_out(uint8_t *lanes[8], uint8_t *octets, size_t stride, uint32_t count) {
    for (uint32_t lane = 0; lane < 8; lane++) lanes[lane] = lane < count ? octets + lane * stride : NULL;
}

static inline void point_limbs(uint64_t *lanes[8], uint64_t *limbs, size_t stride, uint32_t count) {
    for (uint32_t lane = 0; lane < 8; lane++) lanes[lane] = lane < count ? limbs + lane * stride : NULL;
}

// Octets, the most significant first, to limbs, the least significant first, and back.
static inline void to_limbs(uint64_t *limbs, size_t limb_count, const uint8_t *octets, size_t octet_count) {
    memset(limbs, 0, limb_count * 8);
    for (size_t i = 0; i < octet_count; i++) {
        size_t place = octet_count - 1 - i;
        limbs[i / 8] |= (uint64_t)octets[place] << (8 * (i % 8));
    }
}

static inline void from_limbs(uint8_t *octets, size_t octet_count, const uint64_t *limbs) {
    for (size_t i = 0; i < octet_count; i++) octets[octet_count - 1 - i] = (uint8_t)(limbs[i / 8] >> (8 * (i % 8)));
}

// A bit for each lane that succeeded.
static inline uint32_t succeeded(mbx_status status, uint32_t count) {
    uint32_t lanes = 0;
    for (uint32_t lane = 0; lane < count; lane++)
        if (((status >> (4 * lane)) & 0xF) == 0) lanes |= UINT32_C(1) << lane;
    return lanes;
}

enum { largest_coordinate_limbs = 6 };

// Limbs of up to eight numbers, and the pointers to them.
typedef struct {
    uint64_t limbs[8 * largest_coordinate_limbs];
    uint64_t *lanes[8];
} numbers;

// Of numbers that lie `stride` octets apart.
static inline void read_numbers(numbers *to, const uint8_t *from, size_t octet_count, size_t stride, uint32_t count) {
    size_t limb_count = octet_count / 8;
    point_limbs(to->lanes, to->limbs, limb_count, count);
    for (uint32_t lane = 0; lane < count; lane++)
        to_limbs(to->lanes[lane], limb_count, from + lane * stride, octet_count);
}

static inline const ccmb_library *library_for_curve(enum ccmb_curve curve) {
    return ccmb_library_for(curve == ccmb_p256 ? ccmb_can_p256 : ccmb_can_p384);
}

static inline size_t coordinate_octets(enum ccmb_curve curve) {
    return curve == ccmb_p256 ? ccmb_p256_octets : ccmb_p384_octets;
}

static inline limbs_in in(const numbers *numbers) { return (limbs_in)numbers->lanes; }
