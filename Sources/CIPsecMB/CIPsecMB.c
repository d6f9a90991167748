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

// What the manager names; after that the manager itself, which is for jobs, is not needed.
static struct {
    aes_gcm_pre_t expand[3];
    aes_gcm_enc_dec_t encrypt[3], decrypt[3];
    chacha_poly_init_t start;
    chacha_poly_enc_dec_update_t encrypt_more, decrypt_more;
    chacha_poly_finalize_t finish;
} library;

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
    take(manager);
    return cipsecmb_ready;
}

static void load(void) {
    void *file = dlopen("libIPSec_MB.so.1", RTLD_NOW | RTLD_LOCAL);
    if (file == NULL) return;
    unsigned (*number)(void) = (unsigned (*)(void))dlsym(file, "imb_get_version");
    const char *(*name)(void) = (const char *(*)(void))dlsym(file, "imb_get_version_str");
    IMB_MGR *(*make)(uint64_t) = (IMB_MGR * (*)(uint64_t)) dlsym(file, "alloc_mb_mgr");
    void (*choose)(IMB_MGR *, IMB_ARCH *) = (void (*)(IMB_MGR *, IMB_ARCH *))dlsym(file, "init_mb_mgr_auto");
    void (*end)(IMB_MGR *) = (void (*)(IMB_MGR *))dlsym(file, "free_mb_mgr");
    state = cipsecmb_other_version;
    if (number == NULL || name == NULL || make == NULL || choose == NULL || end == NULL) return;
    version = name();
    if (number() >> 8 != IMB_VERSION_NUM >> 8) return;
    IMB_MGR *manager = make(0);
    if (manager == NULL) return;
    IMB_ARCH chosen;
    choose(manager, &chosen);
    state = use(manager);
    end(manager);
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

#else

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
