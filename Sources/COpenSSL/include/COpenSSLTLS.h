// TLS in memory, for EAP-TLS: what Swift cannot name of libssl, and the seeded source of random octets.
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stddef.h>
#include <stdint.h>

// Until cossl_end_seeded_random, all random octets that libcrypto asks for on this thread follow from 32 octets. Other
// threads, and this one outside, draw from the system as ever.
void cossl_begin_seeded_random(const uint8_t *seed);
void cossl_end_seeded_random(void);

// A context that takes nothing from the machine's openssl.cnf that is seen on the wire. NULL when memory ran out.
SSL_CTX *cossl_tls_context(int is_server, int minimum_version, int maximum_version);

// Each takes PEM texts and returns 1, or 0 when one is not what it should be: the end entity's certificate and the ones
// between it and the trust anchor; its key, which has to match; the trust anchors.
int cossl_tls_use_chain(SSL_CTX *context, const void *pem, size_t byte_count);
int cossl_tls_use_key(SSL_CTX *context, const void *pem, size_t byte_count);
int cossl_tls_trust(SSL_CTX *context, const void *pem, size_t byte_count);

// A connection over two memory BIOs that checks its peer's certificate as of a moment, and its DNS name unless NULL.
SSL *cossl_tls_connection(SSL_CTX *context, int is_server, int64_t unix_time, const char *peer_name);

// Gives the connection what has come, takes a step of the handshake: 1 done, 0 goes on, -1 failed.
int cossl_tls_handshake(SSL *connection, const void *input, size_t byte_count);

// How many octets the connection wants to send, and these octets.
size_t cossl_tls_pending(SSL *connection);
size_t cossl_tls_take(SSL *connection, void *out, size_t byte_count);

// After a failure: the alert that the peer sent, or -1 when it was not an alert that ended the handshake.
int cossl_tls_received_alert(void);

// Reads application data from what has come: how many octets, 0 when there are none, -1 on failure.
int cossl_tls_read(SSL *connection, const void *input, size_t byte_count, void *out, int capacity);
