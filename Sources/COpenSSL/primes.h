#pragma once

#include <openssl/types.h>

// An RSA key pair with the exponent 65537, for a test: its primes are found, and not proven. NULL where libcrypto
// fails.
RSA *cossl_generate_rsa(int bit_count);
