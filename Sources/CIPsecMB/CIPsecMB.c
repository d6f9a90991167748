#include "CIPsecMB.h"

#if defined(__x86_64__) && __has_include(<intel-ipsec-mb.h>)

#define NO_COMPAT_IMB_API_053
#include <dlfcn.h>
#include <intel-ipsec-mb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static enum cipsecmb_state state = cipsecmb_not_found;
static const char *version = "";
static const char *instructions = "";
static int has_sha;

// What one manager names for all threads: AEAD ciphers are computed without one.
static struct {
    aes_gcm_pre_t expand[3];
    aes_gcm_enc_dec_t encrypt[3], decrypt[3];
    chacha_poly_init_t start;
    chacha_poly_enc_dec_update_t encrypt_more, decrypt_more;
    chacha_poly_finalize_t finish;
    // Of the kind of manager that is the fastest one with one job at a time.
    IMB_MGR *(*make)(uint64_t);
    void (*begin)(IMB_MGR *);
    void (*end)(IMB_MGR *);
} library;

// The manager of a thread ends with it.
static pthread_key_t threads;
static _Thread_local IMB_MGR *jobs;

static void take(const IMB_MGR *manager) {
    library.expand[cipsecmb_aes_gcm_128] = manager->gcm128_pre;
    library.expand[cipsecmb_aes_gcm_192] = manager->gcm192_pre;
    library.expand[cipsecmb_aes_gcm_256] = manager->gcm256_pre;
    library.encrypt[cipsecmb_aes_gcm_128] = manager->gcm128_enc;
    library.encrypt[cipsecmb_aes_gcm_192] = manager->gcm192_enc;
    library.encrypt[cipsecmb_aes_gcm_256] = manager->gcm256_enc;
    library.decrypt[cipsecmb_aes_gcm_128] = manager->gcm128_dec;
    library.decrypt[cipsecmb_aes_gcm_192] = manager->gcm192_dec;
    library.decrypt[cipsecmb_aes_gcm_256] = manager->gcm256_dec;
    library.start = manager->chacha20_poly1305_init;
    library.encrypt_more = manager->chacha20_poly1305_enc_update;
    library.decrypt_more = manager->chacha20_poly1305_dec_update;
    library.finish = manager->chacha20_poly1305_finalize;
}

static enum cipsecmb_state use(const IMB_MGR *manager) {
    switch (manager->used_arch) {
    case IMB_ARCH_SSE: instructions = "SSE"; break;
    case IMB_ARCH_AVX: instructions = "AVX"; break;
    case IMB_ARCH_AVX2: instructions = "AVX2"; break;
    case IMB_ARCH_AVX512:
        instructions = manager->features & IMB_FEATURE_VAES ? "AVX-512 and VAES" : "AVX-512";
        break;
    default: return cipsecmb_no_instructions;
    }
    has_sha = (manager->features & IMB_FEATURE_SHANI) != 0;
    take(manager);
    return cipsecmb_ready;
}

static void end_jobs(void *manager) {
    library.end(manager);
    jobs = NULL;
}

static void load(void) {
    void *file = dlopen("libIPSec_MB.so.1", RTLD_NOW | RTLD_LOCAL);
    if (file == NULL) return;
    unsigned (*number)(void) = (unsigned (*)(void))dlsym(file, "imb_get_version");
    const char *(*name)(void) = (const char *(*)(void))dlsym(file, "imb_get_version_str");
    IMB_MGR *(*make)(uint64_t) = (IMB_MGR * (*)(uint64_t)) dlsym(file, "alloc_mb_mgr");
    void (*choose)(IMB_MGR *, IMB_ARCH *) = (void (*)(IMB_MGR *, IMB_ARCH *))dlsym(file, "init_mb_mgr_auto");
    void (*begin)(IMB_MGR *) = (void (*)(IMB_MGR *))dlsym(file, "init_mb_mgr_sse");
    void (*end)(IMB_MGR *) = (void (*)(IMB_MGR *))dlsym(file, "free_mb_mgr");
    state = cipsecmb_other_version;
    if (number == NULL || name == NULL || make == NULL || choose == NULL || begin == NULL || end == NULL) return;
    version = name();
    if (number() >> 8 != IMB_VERSION_NUM >> 8) return;
    IMB_MGR *manager = make(0);
    if (manager == NULL) return;
    IMB_ARCH chosen;
    choose(manager, &chosen);
    state = use(manager);
    end(manager);
    library.make = make;
    library.begin = begin;
    library.end = end;
    if (pthread_key_create(&threads, end_jobs) != 0) state = cipsecmb_not_found;
}

enum cipsecmb_state cipsecmb_load(void) {
    pthread_once(&once, load);
    return state;
}

const char *cipsecmb_version(void) {
    cipsecmb_load();
    return version;
}

const char *cipsecmb_instructions(void) {
    cipsecmb_load();
    return instructions;
}

int cipsecmb_has_sha(void) { return cipsecmb_load() == cipsecmb_ready && has_sha; }

const char *cipsecmb_header_version(void) { return IMB_VERSION_STR; }

// ChaCha20-Poly1305 has its key where AES-GCM has its schedule, and takes three calls where that takes one.
typedef struct chacha20_poly1305_context_data stream;

static void encrypt_stream(
    const struct gcm_key_data *key, struct gcm_context_data *running, uint8_t *out, const uint8_t *in,
    uint64_t byte_count, const uint8_t *nonce, const uint8_t *associated, uint64_t associated_byte_count, uint8_t *icv,
    uint64_t icv_byte_count) {
    library.start(key, (stream *)running, nonce, associated, associated_byte_count);
    library.encrypt_more(key, (stream *)running, out, in, byte_count);
    library.finish((stream *)running, icv, icv_byte_count);
}

static void decrypt_stream(
    const struct gcm_key_data *key, struct gcm_context_data *running, uint8_t *out, const uint8_t *in,
    uint64_t byte_count, const uint8_t *nonce, const uint8_t *associated, uint64_t associated_byte_count, uint8_t *icv,
    uint64_t icv_byte_count) {
    library.start(key, (stream *)running, nonce, associated, associated_byte_count);
    library.decrypt_more(key, (stream *)running, out, in, byte_count);
    library.finish((stream *)running, icv, icv_byte_count);
}

// The library's own code takes keys to begin where a cache line does.
enum { alignment = 64, stream_key_byte_count = 32 };

typedef struct {
    _Alignas(alignment) cipsecmb_key key;
    _Alignas(alignment) union {
        struct gcm_key_data blocks;
        uint8_t stream[stream_key_byte_count];
    } schedule;
    _Alignas(alignment) union {
        struct gcm_context_data blocks;
        stream stream;
    } running;
} allocation;

cipsecmb_key *cipsecmb_key_make(enum cipsecmb_cipher cipher, int encrypts, const uint8_t *octets) {
    allocation *made = aligned_alloc(alignment, sizeof *made);
    if (made == NULL) return NULL;
    memset(made, 0, sizeof *made);
    made->key.schedule = &made->schedule.blocks;
    made->key.running = &made->running.blocks;
    if (cipher == cipsecmb_chacha20_poly1305) {
        memcpy(made->schedule.stream, octets, stream_key_byte_count);
        made->key.run = encrypts ? encrypt_stream : decrypt_stream;
    } else {
        library.expand[cipher](octets, &made->schedule.blocks);
        made->key.run = encrypts ? library.encrypt[cipher] : library.decrypt[cipher];
    }
    return &made->key;
}

void cipsecmb_key_end(cipsecmb_key *key) {
    allocation *made = (allocation *)key;
    memset(made, 0, sizeof *made);
    // Keeps the compiler from dropping stores that nobody reads.
    __asm__ __volatile__("" : : "r"(made) : "memory");
    free(made);
}

struct cipsecmb_chain {
    _Alignas(alignment) uint32_t encrypt[4 * 15];
    _Alignas(alignment) uint32_t decrypt[4 * 15];
    // What HMAC's hash is once it has absorbed the padded key.
    _Alignas(alignment) uint8_t inner[64];
    _Alignas(alignment) uint8_t outer[64];
    uint64_t key_byte_count;
    IMB_HASH_ALG hash;
};

static IMB_MGR *jobs_of_thread(void) {
    if (jobs != NULL) return jobs;
    IMB_MGR *made = library.make(0);
    if (made == NULL) return NULL;
    library.begin(made);
    if (pthread_setspecific(threads, made) != 0) {
        library.end(made);
        return NULL;
    }
    return jobs = made;
}

// No key is longer than a block, and no function reads behind its own.
static void absorb(hash_one_block_t block, const uint8_t *key, size_t byte_count, uint8_t pad, uint8_t *out) {
    uint8_t padded[IMB_SHA_512_BLOCK_SIZE];
    memset(padded, pad, sizeof padded);
    for (size_t index = 0; index < byte_count; index++) padded[index] ^= key[index];
    block(padded, out);
    memset(padded, 0, sizeof padded);
    __asm__ __volatile__("" : : "r"(padded) : "memory");
}

cipsecmb_chain *cipsecmb_chain_make(
    const uint8_t *octets, size_t byte_count, enum cipsecmb_hash hash, const uint8_t *hash_key,
    size_t hash_key_byte_count) {
    IMB_MGR *manager = jobs_of_thread();
    cipsecmb_chain *made = manager == NULL ? NULL : aligned_alloc(alignment, sizeof *made);
    if (made == NULL) return NULL;
    memset(made, 0, sizeof *made);
    keyexp_t expand = byte_count == 16   ? manager->keyexp_128
                      : byte_count == 24 ? manager->keyexp_192
                                         : manager->keyexp_256;
    expand(octets, made->encrypt, made->decrypt);
    made->key_byte_count = byte_count;
    hash_one_block_t block;
    switch (hash) {
    case cipsecmb_hmac_sha1:
        made->hash = IMB_AUTH_HMAC_SHA_1;
        block = manager->sha1_one_block;
        break;
    case cipsecmb_hmac_sha256:
        made->hash = IMB_AUTH_HMAC_SHA_256;
        block = manager->sha256_one_block;
        break;
    case cipsecmb_hmac_sha384:
        made->hash = IMB_AUTH_HMAC_SHA_384;
        block = manager->sha384_one_block;
        break;
    default:
        made->hash = IMB_AUTH_HMAC_SHA_512;
        block = manager->sha512_one_block;
    }
    absorb(block, hash_key, hash_key_byte_count, 0x36, made->inner);
    absorb(block, hash_key, hash_key_byte_count, 0x5C, made->outer);
    return made;
}

void cipsecmb_chain_end(cipsecmb_chain *chain) {
    memset(chain, 0, sizeof *chain);
    __asm__ __volatile__("" : : "r"(chain) : "memory");
    free(chain);
}

// Runs one job to its end; nothing of it stays in the manager. It encrypts or decrypts a packet from `start` on, in
// place, and hashes the whole ciphertext with what stands behind it.
static int run_alone(
    const cipsecmb_chain *chain, int encrypts, uint8_t *packet, size_t start, size_t byte_count,
    size_t more_byte_count, const uint8_t *iv, uint8_t *icv, size_t icv_byte_count) {
    IMB_MGR *manager = jobs_of_thread();
    if (manager == NULL) return 0;
    IMB_JOB *job = manager->get_next_job(manager);
    *job = (IMB_JOB){
        .enc_keys = chain->encrypt,
        .dec_keys = chain->decrypt,
        .key_len_in_bytes = chain->key_byte_count,
        .src = packet,
        .dst = packet + start,
        .cipher_start_src_offset_in_bytes = start,
        .msg_len_to_cipher_in_bytes = byte_count - start,
        .msg_len_to_hash_in_bytes = byte_count + more_byte_count,
        .iv = iv,
        .iv_len_in_bytes = 16,
        .auth_tag_output = icv,
        .auth_tag_output_len_in_bytes = icv_byte_count,
        .u.HMAC._hashed_auth_key_xor_ipad = chain->inner,
        .u.HMAC._hashed_auth_key_xor_opad = chain->outer,
        .cipher_mode = IMB_CIPHER_CBC,
        .cipher_direction = encrypts ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT,
        .hash_alg = chain->hash,
        .chain_order = encrypts ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER,
    };
    job = manager->submit_job_nocheck(manager);
    if (job == NULL) job = manager->flush_job(manager);
    return job != NULL && job->status == IMB_STATUS_COMPLETED;
}

int cipsecmb_chain_seal(
    const cipsecmb_chain *chain, uint8_t *packet, size_t header_byte_count, size_t byte_count, const uint8_t *more,
    size_t more_byte_count, uint8_t *icv, size_t icv_byte_count) {
    static const uint8_t zeros[16];
    // What the code covers behind the packet stands where the code will.
    memcpy(packet + byte_count, more, more_byte_count);
    return run_alone(chain, 1, packet, header_byte_count, byte_count, more_byte_count, zeros, icv, icv_byte_count);
}

int cipsecmb_chain_open(
    const cipsecmb_chain *chain, uint8_t *packet, size_t start, size_t byte_count, const uint8_t *more,
    size_t more_byte_count, uint8_t *icv, size_t icv_byte_count) {
    uint8_t behind[8];
    memcpy(behind, packet + byte_count, more_byte_count);
    memcpy(packet + byte_count, more, more_byte_count);
    const uint8_t *iv = packet + start - 16;
    int is_done = run_alone(chain, 0, packet, start, byte_count, more_byte_count, iv, icv, icv_byte_count);
    memcpy(packet + byte_count, behind, more_byte_count);
    return is_done;
}

#else

int cipsecmb_has_sha(void) { return 0; }

cipsecmb_chain *cipsecmb_chain_make(
    const uint8_t *octets, size_t byte_count, enum cipsecmb_hash hash, const uint8_t *hash_key,
    size_t hash_key_byte_count) {
    (void)octets, (void)byte_count, (void)hash, (void)hash_key, (void)hash_key_byte_count;
    return NULL;
}

void cipsecmb_chain_end(cipsecmb_chain *chain) { (void)chain; }

int cipsecmb_chain_seal(
    const cipsecmb_chain *chain, uint8_t *packet, size_t header_byte_count, size_t byte_count, const uint8_t *more,
    size_t more_byte_count, uint8_t *icv, size_t icv_byte_count) {
    (void)chain, (void)packet, (void)header_byte_count, (void)byte_count, (void)more, (void)more_byte_count;
    (void)icv, (void)icv_byte_count;
    return 0;
}

int cipsecmb_chain_open(
    const cipsecmb_chain *chain, uint8_t *packet, size_t start, size_t byte_count, const uint8_t *more,
    size_t more_byte_count, uint8_t *icv, size_t icv_byte_count) {
    (void)chain, (void)packet, (void)start, (void)byte_count, (void)more, (void)more_byte_count;
    (void)icv, (void)icv_byte_count;
    return 0;
}

enum cipsecmb_state cipsecmb_load(void) { return cipsecmb_not_built; }

const char *cipsecmb_version(void) { return ""; }

const char *cipsecmb_header_version(void) { return ""; }

const char *cipsecmb_instructions(void) { return ""; }

cipsecmb_key *cipsecmb_key_make(enum cipsecmb_cipher cipher, int encrypts, const uint8_t *octets) {
    (void)cipher, (void)encrypts, (void)octets;
    return NULL;
}

void cipsecmb_key_end(cipsecmb_key *key) { (void)key; }

#endif
