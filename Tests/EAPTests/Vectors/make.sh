#!/bin/bash
# Makes the certificates of the tests: a CA and a stranger's, and a server and a client with keys of each kind.
set -euo pipefail
cd "$(dirname "$0")"
key() { case $1 in ec) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 ;; rsa) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 ;; esac 2>/dev/null; }
authority() {
    key ec >"$1.key"
    openssl req -x509 -new -key "$1.key" -days 36500 -subj "/CN=$1" -addext basicConstraints=critical,CA:TRUE \
        -addext keyUsage=critical,keyCertSign,cRLSign -out "$1.pem"
}
entity() { # NAME KIND SAN USAGE
    key "$2" >"$1-$2.key"
    openssl req -new -key "$1-$2.key" -subj "/CN=$1" -out request.csr
    openssl x509 -req -in request.csr -CA ca.pem -CAkey ca.key -days 3650 -out "$1-$2.pem" 2>/dev/null -set_serial "$5" -extfile <(
        printf 'subjectAltName=%s\nextendedKeyUsage=%s\nkeyUsage=critical,digitalSignature\nbasicConstraints=CA:FALSE\n' "$3" "$4"
    )
    rm request.csr
}
authority ca
authority stranger
entity server ec DNS:gw.example.org serverAuth 2
entity server rsa DNS:gw.example.org serverAuth 3
entity client ec email:user@example.org clientAuth 4
entity client rsa email:user@example.org clientAuth 5
rm ca.key stranger.key
