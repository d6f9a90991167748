// Random octets that follow from a seed, for signatures, certificates and TLS: libcrypto has one method for the whole
// process, so this one looks at its own thread.

#include "seed.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>

#include "COpenSSL.h"

// Draws are numbered for each length on its own: RSA blinding, whose draws are as long as the modulus and come only
// now and then, does not shift the draws for keys, nonces and salts.
enum { counted_lengths = 129 };

static _Thread_local struct {
    int is_active;
    uint8_t seed[32];
    uint32_t draws[counted_lengths];
} seeded;

static int random_octets(unsigned char *out, int byte_count) {
    if (!seeded.is_active) return RAND_OpenSSL()->bytes(out, byte_count);
    int length = byte_count < counted_lengths ? byte_count : counted_lengths - 1;
    uint32_t place[4] = {(uint32_t)byte_count, seeded.draws[length]++, 0, 0};
    for (int offset = 0; offset < byte_count; offset += SHA256_DIGEST_LENGTH, place[2]++) {
        uint8_t block[SHA256_DIGEST_LENGTH];
        SHA256_CTX hash;
        SHA256_Init(&hash);
        SHA256_Update(&hash, seeded.seed, sizeof seeded.seed);
        SHA256_Update(&hash, place, sizeof place);
        SHA256_Final(block, &hash);
        int rest = byte_count - offset;
        memcpy(out + offset, block, rest < SHA256_DIGEST_LENGTH ? rest : SHA256_DIGEST_LENGTH);
    }
    return 1;
}

static int random_status(void) { return 1; }

static const RAND_METHOD random_method = {
    .bytes = random_octets, .pseudorand = random_octets, .status = random_status};

static void install_random_method(void) { RAND_set_rand_method(&random_method); }

void cossl_begin_seeded_random(const uint8_t *seed) {
    static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
    CRYPTO_THREAD_run_once(&once, install_random_method);
    memcpy(seeded.seed, seed, sizeof seeded.seed);
    memset(seeded.draws, 0, sizeof seeded.draws);
    seeded.is_active = 1;
}

void cossl_end_seeded_random(void) {
    seeded.is_active = 0;
    cossl_wipe(seeded.seed, sizeof seeded.seed);
}

void cossl_set_seed(const uint8_t *seed, size_t seed_count) {
    if (seed == NULL) return cossl_end_seeded_random();
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256(seed, seed_count, digest);
    cossl_begin_seeded_random(digest);
    cossl_wipe(digest, sizeof digest);
}
