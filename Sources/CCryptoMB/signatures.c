// Signatures.

#include <stdlib.h>

#include "lanes.h"

enum { half_octets_of_ed25519 = 32 };

uint32_t ccmb_ecdsa_sign(
    enum ccmb_curve curve, uint32_t count, uint8_t *signatures, const uint8_t *digests, const uint8_t *nonces,
    const uint8_t *private_keys) {
    const ccmb_library *library = library_for_curve(curve);
    if (library == NULL) return 0;
    size_t octets = coordinate_octets(curve);
    numbers secret_nonces, keys;
    read_numbers(&secret_nonces, nonces, octets, octets, count);
    read_numbers(&keys, private_keys, octets, octets, count);
    uint8_t *r[8], *s[8];
    const uint8_t *hashes[8];
    point_out(r, signatures, 2 * octets, count);
    point_out(s, signatures + octets, 2 * octets, count);
    point_in(hashes, digests, octets, count);
    mbx_status status = library->curves[curve].sign(r, s, hashes, in(&secret_nonces), in(&keys), NULL);
    wipe(&secret_nonces, sizeof secret_nonces);
    wipe(&keys, sizeof keys);
    return succeeded(status, count);
}

uint32_t ccmb_ecdsa_verify(
    enum ccmb_curve curve, uint32_t count, const uint8_t *signatures, const uint8_t *digests,
    const uint8_t *public_values) {
    const ccmb_library *library = library_for_curve(curve);
    if (library == NULL) return 0;
    size_t octets = coordinate_octets(curve);
    numbers x, y;
    read_numbers(&x, public_values, octets, 2 * octets, count);
    read_numbers(&y, public_values + octets, octets, 2 * octets, count);
    const uint8_t *r[8], *s[8], *hashes[8];
    point_in(r, signatures, 2 * octets, count);
    point_in(s, signatures + octets, 2 * octets, count);
    point_in(hashes, digests, octets, count);
    return succeeded(library->curves[curve].verify(r, s, hashes, in(&x), in(&y), NULL, NULL), count);
}

// Limbs for `number_count` numbers of each lane, and behind them what the library computes in.
typedef struct {
    uint64_t *limbs;
    uint8_t *buffer;
    size_t size;
} rsa_memory;

static int allocate(rsa_memory *memory, size_t limb_count, size_t buffer_size) {
    // The library aligns its buffer itself.
    memory->size = 8 * limb_count + buffer_size;
    memory->limbs = malloc(memory->size);
    memory->buffer = (uint8_t *)(memory->limbs + limb_count);
    return memory->limbs != NULL;
}

static void release(rsa_memory *memory) {
    wipe(memory->limbs, memory->size);
    free(memory->limbs);
}

uint32_t ccmb_rsa_public(
    uint32_t modulus_bits, uint32_t count, uint8_t *results, const uint8_t *inputs, const uint8_t *moduli) {
    const ccmb_library *library = ccmb_library_for(ccmb_can_rsa);
    if (library == NULL) return 0;
    const void *method = library->rsa_public_method((int)modulus_bits);
    if (method == NULL) return 0;
    size_t octets = modulus_bits / 8, limb_count = octets / 8;
    rsa_memory memory;
    if (!allocate(&memory, 8 * limb_count, (size_t)library->rsa_buffer_size(method))) return 0;
    uint64_t *lanes[8];
    point_limbs(lanes, memory.limbs, limb_count, count);
    for (uint32_t lane = 0; lane < count; lane++) to_limbs(lanes[lane], limb_count, moduli + lane * octets, octets);
    uint8_t *out[8];
    const uint8_t *from[8];
    point_out(out, results, octets, count);
    point_in(from, inputs, octets, count);
    mbx_status status =
        library->rsa_public(from, out, (limbs_in)lanes, (int)modulus_bits, method, memory.buffer);
    release(&memory);
    return succeeded(status, count);
}

uint32_t ccmb_rsa_private(
    uint32_t modulus_bits, uint32_t count, uint8_t *results, const uint8_t *inputs, const uint8_t *private_keys) {
    const ccmb_library *library = ccmb_library_for(ccmb_can_rsa);
    if (library == NULL) return 0;
    const void *method = library->rsa_private_method((int)modulus_bits);
    if (method == NULL) return 0;
    enum { part_count = 5 };
    size_t octets = modulus_bits / 8, half = octets / 2, limb_count = half / 8;
    rsa_memory memory;
    if (!allocate(&memory, part_count * 8 * limb_count, (size_t)library->rsa_buffer_size(method))) return 0;
    uint64_t *parts[part_count][8];
    for (uint32_t part = 0; part < part_count; part++) {
        point_limbs(parts[part], memory.limbs + 8 * part * limb_count, limb_count, count);
        for (uint32_t lane = 0; lane < count; lane++)
            to_limbs(parts[part][lane], limb_count, private_keys + (part_count * lane + part) * half, half);
    }
    uint8_t *out[8];
    const uint8_t *from[8];
    point_out(out, results, octets, count);
    point_in(from, inputs, octets, count);
    mbx_status status = library->rsa_private(
        from, out, (limbs_in)parts[0], (limbs_in)parts[1], (limbs_in)parts[2], (limbs_in)parts[3], (limbs_in)parts[4],
        (int)modulus_bits, method, memory.buffer);
    release(&memory);
    return succeeded(status, count);
}

// Points each lane to its message, and gives lanes that are not used no octets.
static void point_messages(
    const uint8_t *lanes[8], uint32_t lengths[8], const uint8_t *messages, const uint32_t *octets, uint32_t count) {
    for (uint32_t lane = 0; lane < 8; lane++) {
        lanes[lane] = lane < count ? messages : NULL;
        lengths[lane] = lane < count ? octets[lane] : 0;
        messages += lengths[lane];
    }
}

uint32_t ccmb_ed25519_sign(
    uint32_t count, uint8_t *signatures, const uint8_t *messages, const uint32_t *message_octets,
    const uint8_t *private_keys, const uint8_t *public_keys) {
    const ccmb_library *library = ccmb_library_for(ccmb_can_ed25519);
    if (library == NULL) return 0;
    size_t half = half_octets_of_ed25519;
    uint8_t *r[8], *s[8];
    const uint8_t *keys[8], *public_lanes[8], *texts[8];
    uint32_t lengths[8];
    point_out(r, signatures, 2 * half, count);
    point_out(s, signatures + half, 2 * half, count);
    point_in(keys, private_keys, half, count);
    point_in(public_lanes, public_keys, half, count);
    point_messages(texts, lengths, messages, message_octets, count);
    return succeeded(library->ed25519_sign(r, s, texts, lengths, keys, public_lanes), count);
}

// Whether s is below the group's order (RFC 8032 section 5.1.7).
static int is_reduced(const uint8_t *s) {
    static const uint8_t order[32] = {0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE,
        0xF9, 0xDE, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10};
    for (int place = 31; place >= 0; place--)
        if (s[place] != order[place]) return s[place] < order[place];
    return 0;
}

uint32_t ccmb_ed25519_verify(
    uint32_t count, const uint8_t *signatures, const uint8_t *messages, const uint32_t *message_octets,
    const uint8_t *public_keys) {
    const ccmb_library *library = ccmb_library_for(ccmb_can_ed25519);
    if (library == NULL) return 0;
    size_t half = half_octets_of_ed25519;
    const uint8_t *r[8], *s[8], *keys[8], *texts[8];
    uint32_t lengths[8];
    point_in(r, signatures, 2 * half, count);
    point_in(s, signatures + half, 2 * half, count);
    point_in(keys, public_keys, half, count);
    point_messages(texts, lengths, messages, message_octets, count);
    uint32_t done = succeeded(library->ed25519_verify(r, s, texts, lengths, keys), count);
    for (uint32_t lane = 0; lane < count; lane++)
        if (!is_reduced(s[lane])) done &= ~(UINT32_C(1) << lane);
    return done;
}
