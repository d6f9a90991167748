// RSA key pairs for a test's certificates, ten times sooner than libcrypto makes its own: that looks for primes as
// FIPS 186-4 has them, and proves each with 64 rounds. Here a sieve leaves few candidates, and five rounds of Miller and
// Rabin's test are enough (FIPS 186-4, table C.3).

#include "primes.h"

#include <openssl/bn.h>
#include <openssl/rsa.h>
#include <string.h>

enum { public_exponent = 65537, sieve_limit = 1 << 16, window = 1 << 13 };

/// Whether numbers below the limit have a divisor; even ones are left out.
static void sieve_small(uint8_t *composite) {
    memset(composite, 0, sieve_limit);
    for (int factor = 3; factor * factor < sieve_limit; factor += 2) {
        if (composite[factor]) continue;
        for (int multiple = factor * factor; multiple < sieve_limit; multiple += 2 * factor) composite[multiple] = 1;
    }
}

/// Marks each `start + 2 * place` that a small prime divides, or that the public exponent does not go with.
static void sieve_window(const BIGNUM *start, const uint8_t *composite, uint8_t *marked) {
    memset(marked, 0, window);
    for (int prime = 3; prime < sieve_limit; prime += 2) {
        if (composite[prime]) continue;
        int rest = (int)BN_mod_word(start, (BN_ULONG)prime);
        // The least place with rest + 2 * place = 0 (mod prime).
        int distance = rest == 0 ? 0 : prime - rest;
        for (int place = distance % 2 == 0 ? distance / 2 : (distance + prime) / 2; place < window; place += prime) {
            marked[place] = 1;
        }
    }
    BN_ULONG rest = BN_mod_word(start, public_exponent);
    for (int place = 0; place < window; place++) {
        if ((rest + 2 * (BN_ULONG)place) % public_exponent <= 1) marked[place] = 1;
    }
}

/// One round: whether `base` does not show that a number is composite; -1 where libcrypto fails.
static int passes(const BIGNUM *number, BN_ULONG base, BN_MONT_CTX *montgomery, BN_CTX *context) {
    int result = -1;
    BN_CTX_start(context);
    BIGNUM *less = BN_CTX_get(context), *odd = BN_CTX_get(context), *power = BN_CTX_get(context);
    if (power == NULL || !BN_copy(less, number) || !BN_sub_word(less, 1)) goto end;
    int twos = 0;
    while (!BN_is_bit_set(less, twos)) twos++;
    if (!BN_rshift(odd, less, twos)) goto end;
    if (!BN_mod_exp_mont_word(power, base, odd, number, context, montgomery)) goto end;
    result = BN_is_one(power) || BN_cmp(power, less) == 0;
    for (int square = 1; result == 0 && square < twos; square++) {
        if (!BN_mod_sqr(power, power, number, context)) {
            result = -1;
        } else if (BN_cmp(power, less) == 0) {
            result = 1;
        }
    }
end:
    BN_CTX_end(context);
    return result;
}

static int is_prime(const BIGNUM *number, BN_MONT_CTX *montgomery, BN_CTX *context) {
    static const BN_ULONG bases[] = {2, 3, 5, 7, 11};
    if (!BN_MONT_CTX_set(montgomery, number, context)) return -1;
    for (size_t index = 0; index < sizeof bases / sizeof bases[0]; index++) {
        int result = passes(number, bases[index], montgomery, context);
        if (result != 1) return result;
    }
    return 1;
}

/// The first prime behind a number that is drawn; its two highest bits are set, so that the product of two is twice as long.
static int find_prime(BIGNUM *prime, int bit_count, const uint8_t *composite, BN_MONT_CTX *montgomery, BN_CTX *context) {
    uint8_t marked[window];
    for (;;) {
        if (!BN_rand(prime, bit_count, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD)) return 0;
        sieve_window(prime, composite, marked);
        for (int place = 0, last = 0; place < window; place++) {
            if (marked[place]) continue;
            if (!BN_add_word(prime, 2 * (BN_ULONG)(place - last))) return 0;
            last = place;
            if (BN_num_bits(prime) != bit_count) break;
            int result = is_prime(prime, montgomery, context);
            if (result != 0) return result == 1;
        }
    }
}

/// Adds what follows from the primes: n, d and the numbers for the Chinese remainder theorem (RFC 8017 section 3.2).
static int complete(RSA *key, BIGNUM *p, BIGNUM *q, BN_CTX *context) {
    BIGNUM *n = BN_new(), *e = BN_new(), *d = BN_new(), *dp = BN_new(), *dq = BN_new(), *inverse = BN_new();
    BN_CTX_start(context);
    BIGNUM *p1 = BN_CTX_get(context), *q1 = BN_CTX_get(context), *lcm = BN_CTX_get(context), *gcd = BN_CTX_get(context);
    int is_made = gcd != NULL && inverse != NULL && n != NULL && e != NULL && d != NULL && dp != NULL && dq != NULL
        && BN_set_word(e, public_exponent) && BN_mul(n, p, q, context) && BN_sub(p1, p, BN_value_one())
        && BN_sub(q1, q, BN_value_one()) && BN_gcd(gcd, p1, q1, context) && BN_mul(lcm, p1, q1, context)
        && BN_div(lcm, NULL, lcm, gcd, context) && BN_mod_inverse(d, e, lcm, context) && BN_mod(dp, d, p1, context)
        && BN_mod(dq, d, q1, context) && BN_mod_inverse(inverse, q, p, context);
    BN_CTX_end(context);
    // From here on the key owns them.
    if (is_made && RSA_set0_key(key, n, e, d)) n = e = d = NULL;
    if (is_made && RSA_set0_crt_params(key, dp, dq, inverse)) dp = dq = inverse = NULL;
    is_made = is_made && n == NULL && dp == NULL;
    BN_free(n), BN_free(e), BN_clear_free(d), BN_clear_free(dp), BN_clear_free(dq), BN_clear_free(inverse);
    return is_made;
}

RSA *cossl_generate_rsa(int bit_count) {
    uint8_t composite[sieve_limit];
    sieve_small(composite);
    RSA *key = RSA_new();
    BN_CTX *context = BN_CTX_new();
    BN_MONT_CTX *montgomery = BN_MONT_CTX_new();
    BIGNUM *p = BN_new(), *q = BN_new();
    int is_made = key != NULL && context != NULL && montgomery != NULL && p != NULL && q != NULL;
    do {
        is_made = is_made && find_prime(p, bit_count / 2, composite, montgomery, context)
            && find_prime(q, bit_count / 2, composite, montgomery, context);
    } while (is_made && BN_cmp(p, q) == 0);
    if (is_made && BN_cmp(p, q) < 0) BN_swap(p, q);
    is_made = is_made && complete(key, p, q, context);
    if (is_made && RSA_set0_factors(key, p, q)) {
        p = q = NULL;
    } else {
        RSA_free(key);
        key = NULL;
    }
    BN_clear_free(p), BN_clear_free(q);
    BN_MONT_CTX_free(montgomery);
    BN_CTX_free(context);
    return key;
}
