// Intel's Multi-Buffer Crypto for IPsec, where this machine has it. It is loaded when it is first asked for, and
// nothing is linked with it: one build runs with it and without it.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum cipsecmb_state {
    cipsecmb_ready,
    // The header was not there when this was compiled, or this is no processor for it.
    cipsecmb_not_built,
    cipsecmb_not_found,
    // Not the version of the header, by which this knows what the library keeps where.
    cipsecmb_other_version,
    // The library would do without AES instructions, slower than libcrypto does.
    cipsecmb_no_instructions,
};

enum cipsecmb_state cipsecmb_load(void);

// Of the library that was found, as in "1.3.0"; empty where none was.
const char *cipsecmb_version(void);

// Of the header, or empty.
const char *cipsecmb_header_version(void);

// What the library has chosen for this processor.
const char *cipsecmb_instructions(void);

struct gcm_key_data;
struct gcm_context_data;

// The library's own type of a whole AES-GCM operation: key, room for what it computes with, output, input, their size,
// nonce of 12 octets, associated data and their size, ICV and its size.
typedef void (*cipsecmb_run)(
    const struct gcm_key_data *, struct gcm_context_data *, uint8_t *, const uint8_t *, uint64_t, const uint8_t *,
    const uint8_t *, uint64_t, uint8_t *, uint64_t);

enum cipsecmb_cipher { cipsecmb_aes_gcm_128, cipsecmb_aes_gcm_192, cipsecmb_aes_gcm_256, cipsecmb_chacha20_poly1305 };

// An expanded key for one direction and one thread, with all that is computed from it, in one allocation.
typedef struct {
    cipsecmb_run run;
    struct gcm_key_data *schedule;
    struct gcm_context_data *running;
} cipsecmb_key;

// NULL where there is no memory; only where the library is ready.
cipsecmb_key *cipsecmb_key_make(enum cipsecmb_cipher cipher, int encrypts, const uint8_t *octets);

// Wipes a key before it frees it.
void cipsecmb_key_end(cipsecmb_key *key);

// Encrypts or decrypts in place, as the key was made for, and writes the ICV of the ciphertext.
static inline void cipsecmb_compute(
    const cipsecmb_key *key, const void *nonce, const void *associated, size_t associated_byte_count, void *body,
    size_t byte_count, void *icv, size_t icv_byte_count) {
    key->run(
        key->schedule, key->running, body, body, byte_count, nonce, associated, associated_byte_count, icv,
        icv_byte_count);
}

// Whether the library hashes with the processor's SHA instructions where it computes a packet by itself.
int cipsecmb_has_sha(void);

enum cipsecmb_hash { cipsecmb_hmac_sha1, cipsecmb_hmac_sha256, cipsecmb_hmac_sha384, cipsecmb_hmac_sha512 };

// The expanded keys of AES-CBC and HMAC, for either direction and any thread.
typedef struct cipsecmb_chain cipsecmb_chain;

// NULL where there is no memory; only where the library is ready. The cipher's key has 16, 24 or 32 octets.
cipsecmb_chain *cipsecmb_chain_make(
    const uint8_t *octets, size_t byte_count, enum cipsecmb_hash hash, const uint8_t *hash_key,
    size_t hash_key_byte_count);

// Wipes the keys before it frees them.
void cipsecmb_chain_end(cipsecmb_chain *chain);

// Encrypts a packet in place from an IV of zeros on, all but its header, and writes the ICV of the packet with more
// octets behind it, 8 at most. There is room behind the packet for these, where the ICV is to be. Packets are shorter
// than 64 KiB. 0 where there is no memory.
int cipsecmb_chain_seal(
    const cipsecmb_chain *chain, uint8_t *packet, size_t header_byte_count, size_t byte_count, const uint8_t *more,
    size_t more_byte_count, uint8_t *icv, size_t icv_byte_count);

// Writes the ICV that a packet with more octets behind it should have, and decrypts in place what stands from `start`
// on, with the IV before it. What the packet has behind it is the same afterwards. 0 where there is no memory.
int cipsecmb_chain_open(
    const cipsecmb_chain *chain, uint8_t *packet, size_t start, size_t byte_count, const uint8_t *more,
    size_t more_byte_count, uint8_t *icv, size_t icv_byte_count);
