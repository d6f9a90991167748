#include "library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static ccmb_library library;
static int is_loaded;

// The library of the interface that library.h declares. What it needs besides libcrypto is the compiler's that made it,
// and lies beside it: it has no path of its own to them.
static void *open_library(void) {
    static const char *const needed[] = {"libintlc.so.5", "libimf.so", "libirng.so", "libsvml.so"};
    void *handle = dlopen("libcrypto_mb.so.13", RTLD_NOW | RTLD_LOCAL);
    if (handle != NULL) return handle;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", CCMB_FOLDER, needed[i]);
        dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    }
    return dlopen(CCMB_FOLDER "/libcrypto_mb.so.13", RTLD_NOW | RTLD_LOCAL);
}

static int find(void *handle, const char *name, void *function) {
    void *found = dlsym(handle, name);
    memcpy(function, &found, sizeof found);
    return found != NULL;
}

static int find_curve(void *handle, const char *curve, mbx_curve *functions) {
    char names[4][64];
    static const char *const operations[] = {"ecpublic_key", "ecdh", "ecdsa_sign", "ecdsa_verify"};
    for (int i = 0; i < 4; i++) snprintf(names[i], sizeof names[i], "mbx_%s_%s_mb8", curve, operations[i]);
    return find(handle, names[0], &functions->public_key) && find(handle, names[1], &functions->ecdh)
        && find(handle, names[2], &functions->sign) && find(handle, names[3], &functions->verify);
}

// What the library has, and says that this processor can do.
static void add_ability(enum ccmb_ability ability, int algorithm, int is_found) {
    if (is_found && library.algorithm_info(algorithm) != 0) library.abilities |= ability;
}

static void load(void) {
    void *handle = open_library();
    if (handle == NULL) return;
    if (!find(handle, "mbx_getversion", &library.get_version)) return;
    if (!find(handle, "mbx_get_algo_info", &library.algorithm_info)) return;
    const mbx_version *version = library.get_version();
    snprintf(library.version, sizeof library.version, "%d.%d.%d", version->major, version->minor, version->patch);

    add_ability(
        ccmb_can_x25519, mbx_x25519,
        find(handle, "mbx_x25519_public_key_mb8", &library.x25519_public)
            && find(handle, "mbx_x25519_mb8", &library.x25519));
    add_ability(ccmb_can_p256, mbx_p256, find_curve(handle, "nistp256", &library.curves[ccmb_p256]));
    add_ability(ccmb_can_p384, mbx_p384, find_curve(handle, "nistp384", &library.curves[ccmb_p384]));
    add_ability(
        ccmb_can_exponentiate, mbx_exp,
        find(handle, "mbx_exp_BufferSize", &library.exp_buffer_size) && find(handle, "mbx_exp_mb8", &library.exp));
    add_ability(
        ccmb_can_rsa, mbx_rsa_2k,
        find(handle, "mbx_RSA_pub65537_Method", &library.rsa_public_method)
            && find(handle, "mbx_RSA_private_crt_Method", &library.rsa_private_method)
            && find(handle, "mbx_RSA_Method_BufSize", &library.rsa_buffer_size)
            && find(handle, "mbx_rsa_public_mb8", &library.rsa_public)
            && find(handle, "mbx_rsa_private_crt_mb8", &library.rsa_private));
    add_ability(
        ccmb_can_ed25519, mbx_ed25519,
        find(handle, "mbx_ed25519_sign_mb8", &library.ed25519_sign)
            && find(handle, "mbx_ed25519_verify_mb8", &library.ed25519_verify));
    is_loaded = 1;
}

const ccmb_library *ccmb_library_loaded(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_loaded ? &library : NULL;
}

int ccmb_is_loaded(void) { return ccmb_library_loaded() != NULL; }

uint32_t ccmb_abilities(void) {
    const ccmb_library *loaded = ccmb_library_loaded();
    return loaded == NULL ? 0 : loaded->abilities;
}

const char *ccmb_version(void) {
    const ccmb_library *loaded = ccmb_library_loaded();
    return loaded == NULL ? "" : loaded->version;
}
