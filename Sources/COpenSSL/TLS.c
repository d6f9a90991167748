#include "COpenSSL.h"

#include <openssl/pem.h>

// MARK: Contexts

SSL_CTX *cossl_tls_context(int is_server, int minimum_version, int maximum_version) {
    SSL_CTX *context = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    if (context == NULL) return NULL;
    SSL_CTX_set_security_level(context, 2);
    // Where nobody renegotiates, a server need not know RFC 5746: strongSwan's does not.
    SSL_CTX_set_options(
        context,
        SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_LEGACY_SERVER_CONNECT);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    if (SSL_CTX_set_min_proto_version(context, minimum_version) == 1
        && SSL_CTX_set_max_proto_version(context, maximum_version) == 1
        && SSL_CTX_set_num_tickets(context, 0) == 1
        && SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1
        && SSL_CTX_set_ciphersuites(
               context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") == 1
        && SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1
        && SSL_CTX_set1_sigalgs_list(
               context, "ECDSA+SHA256:ECDSA+SHA384:ed25519:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA+SHA256:RSA+SHA384") == 1)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

// Hands each certificate of a PEM text to `take`, which owns it from then on; 1 when there was one and all were taken.
static int each_certificate(
    SSL_CTX *context, const void *pem, size_t byte_count, int (*take)(SSL_CTX *, X509 *, int)) {
    BIO *text = BIO_new_mem_buf(pem, (int)byte_count);
    int count = 0, is_good = text != NULL;
    X509 *certificate;
    while (is_good && (certificate = PEM_read_bio_X509(text, NULL, NULL, NULL)) != NULL)
        is_good = take(context, certificate, count++);
    BIO_free(text);
    ERR_clear_error();
    return is_good && count > 0;
}

static int take_chain(SSL_CTX *context, X509 *certificate, int place) {
    int is_good = place == 0 ? SSL_CTX_use_certificate(context, certificate) == 1
                             : SSL_CTX_add1_chain_cert(context, certificate) == 1;
    X509_free(certificate);
    return is_good;
}

static int take_anchor(SSL_CTX *context, X509 *certificate, int place) {
    (void)place;
    int is_good = X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate) == 1
        && SSL_CTX_add_client_CA(context, certificate) == 1;
    X509_free(certificate);
    return is_good;
}

int cossl_tls_use_chain(SSL_CTX *context, const void *pem, size_t byte_count) {
    return each_certificate(context, pem, byte_count, take_chain);
}

int cossl_tls_trust(SSL_CTX *context, const void *pem, size_t byte_count) {
    return each_certificate(context, pem, byte_count, take_anchor);
}

int cossl_tls_use_key(SSL_CTX *context, const void *pem, size_t byte_count) {
    BIO *text = BIO_new_mem_buf(pem, (int)byte_count);
    EVP_PKEY *key = text == NULL ? NULL : PEM_read_bio_PrivateKey(text, NULL, NULL, NULL);
    int is_good = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;
    EVP_PKEY_free(key);
    BIO_free(text);
    ERR_clear_error();
    return is_good;
}

// MARK: Connections

SSL *cossl_tls_connection(SSL_CTX *context, int is_server, int64_t unix_time, const char *peer_name) {
    SSL *connection = SSL_new(context);
    BIO *input = BIO_new(BIO_s_mem()), *output = BIO_new(BIO_s_mem());
    if (connection == NULL || input == NULL || output == NULL) {
        SSL_free(connection);
        BIO_free(input);
        BIO_free(output);
        return NULL;
    }
    SSL_set_bio(connection, input, output);
    X509_VERIFY_PARAM *checks = SSL_get0_param(connection);
    X509_VERIFY_PARAM_set_time(checks, (time_t)unix_time);
    if (peer_name != NULL && X509_VERIFY_PARAM_set1_host(checks, peer_name, 0) != 1) {
        SSL_free(connection);
        return NULL;
    }
    if (is_server)
        SSL_set_accept_state(connection);
    else
        SSL_set_connect_state(connection);
    return connection;
}

int cossl_tls_handshake(SSL *connection, const void *input, size_t byte_count) {
    ERR_clear_error();
    if (byte_count > 0 && BIO_write(SSL_get_rbio(connection), input, (int)byte_count) != (int)byte_count) return -1;
    int result = SSL_do_handshake(connection);
    if (result == 1) return 1;
    return SSL_get_error(connection, result) == SSL_ERROR_WANT_READ ? 0 : -1;
}

size_t cossl_tls_pending(SSL *connection) { return BIO_ctrl_pending(SSL_get_wbio(connection)); }

size_t cossl_tls_take(SSL *connection, void *out, size_t byte_count) {
    int taken = BIO_read(SSL_get_wbio(connection), out, (int)byte_count);
    return taken > 0 ? (size_t)taken : 0;
}

int cossl_tls_received_alert(void) {
    unsigned long error = ERR_peek_error();
    int reason = ERR_GET_REASON(error);
    ERR_clear_error();
    return ERR_GET_LIB(error) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET ? reason - SSL_AD_REASON_OFFSET : -1;
}

int cossl_tls_read(SSL *connection, const void *input, size_t byte_count, void *out, int capacity) {
    ERR_clear_error();
    if (byte_count > 0 && BIO_write(SSL_get_rbio(connection), input, (int)byte_count) != (int)byte_count) return -1;
    int count = SSL_read(connection, out, capacity);
    if (count > 0) return count;
    return SSL_get_error(connection, count) == SSL_ERROR_WANT_READ ? 0 : -1;
}
