#!/bin/bash
# libreswan.sh VERB NAME [ARGUMENTS...]: libreswan as a gateway, for a rig called NAME (network.sh has its network).
#
#   up             start it (whatever a rig of this name left behind is removed first)
#   down           stop it, and remove the network
#   states | traffic      its list of IKE SAs and Child SAs, the Child SAs that carry traffic
#   rekey-child | rekey-ike | terminate      start these exchanges towards every client
#   log | pid      what pluto logged, the number of its process
#   whack          anything else: the arguments are those of ipsec whack
#
# Its control plane alone: accepting-xfrm.c takes the kernel's place, and ESP packets go nowhere. Clients run in the
# namespace of the clients, talk to 10.98.1.2, authenticate with $PSK, expect the identity $IDENTITY, and must ask for
# an address.
#
# Knobs, read from the environment by `up`: PSK IDENTITY IKE_PROPOSALS ESP_PROPOSALS (in libreswan's words) IKE_LIFE
# CHILD_LIFE PFS DDOS MOBIKE POOL LOG (libreswan's plutodebug) LIBRESWAN (where it was unpacked); with PKI, a folder of
# `ikestorm pki`, both ends have certificates; ESN (yes, no, either); TYPE (transport: between the outer addresses,
# without a pool).
set -uo pipefail
GATEWAYS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$GATEWAYS/network.sh"

LIBRESWAN=${LIBRESWAN:-/opt/ikestorm/libreswan}
PSK=${PSK:-test-only}
IDENTITY=${IDENTITY:-gw.example.org}
IKE_PROPOSALS=${IKE_PROPOSALS:-aes_gcm256-sha2_512+sha2_384+sha2_256-dh31+dh19+dh20+dh14,aes_gcm128-sha2_256-dh31}
ESP_PROPOSALS=${ESP_PROPOSALS:-aes_gcm256,aes_gcm128,aes256-sha2_256}
IKE_LIFE=${IKE_LIFE:-4h}
CHILD_LIFE=${CHILD_LIFE:-1h}
PFS=${PFS:-yes}
DDOS=${DDOS:-auto} # busy: cookies are always asked for
MOBIKE=${MOBIKE:-no}
POOL=${POOL:-10.128.0.1-10.191.255.254}
ESN=${ESN:-no}
TYPE=${TYPE:-tunnel}
LOG=${LOG:-}
PKI=${PKI:-}

require_libreswan() {
    local tool
    for tool in "$LIBRESWAN/usr/libexec/ipsec/pluto" certutil pk12util openssl gcc; do
        command -v "$tool" >/dev/null || die "$tool is missing: scripts/install test"
    done
}

whack() { "$LIBRESWAN/usr/libexec/ipsec/whack" --rundir "$RUN/run/pluto" "$@"; }

write_configuration() {
    local authentication="authby=secret" identity="rightid=%any" method=rsa-sha2
    local inner="leftsubnet=10.200.0.0/16
    rightaddresspool=$POOL
    narrowing=yes"
    [ "$TYPE" = transport ] && inner="type=transport"
    mkdir -p "$RUN/run/pluto" "$RUN/nss"
    certutil -N -d "sql:$RUN/nss" --empty-password
    if [ -n "$PKI" ]; then
        # Where it may do both, it tries to sign with RSA whatever its key is.
        openssl pkey -in "$PKI/gateway.pem" -noout -text | grep -q 'ASN1 OID' && method=ecdsa
        authentication="authby=$method
    leftcert=gateway
    leftsendcert=always
    sendca=all
    rightca=%any"
        identity="rightid=%fromcert"
        load_credentials || return
    fi
    cat >"$RUN/ipsec.conf" <<CONF
config setup
    uniqueids=no
    listen=$GATEWAY_ADDRESS
    ddos-mode=$DDOS
    ${LOG:+plutodebug=$LOG}

conn clients
    ikev2=insist
    $authentication
    left=$GATEWAY_ADDRESS
    leftid=@$IDENTITY
    leftupdown=%disabled
    right=%any
    $identity
    $inner
    esn=$ESN
    fragmentation=yes
    mobike=$MOBIKE
    ike=$IKE_PROPOSALS
    esp=$ESP_PROPOSALS
    pfs=$PFS
    ikelifetime=$IKE_LIFE
    salifetime=$CHILD_LIFE
    auto=add
CONF
    echo ": PSK \"$PSK\"" >"$RUN/ipsec.secrets"
}

load_credentials() {
    openssl pkcs12 -export -in "$PKI/gateway.pem" -name gateway -passout pass:x -out "$RUN/gateway.p12" &&
        pk12util -i "$RUN/gateway.p12" -d "sql:$RUN/nss" -W x >/dev/null &&
        certutil -A -n authority -t CT,, -i "$PKI/ca.pem" -d "sql:$RUN/nss"
}

# Starts pluto, which looks for its own programs where its package would have put them, and waits for its connection.
start_pluto() {
    local pid deadline=$((SECONDS + 15))
    gcc -O2 -Wall -shared -fPIC -o "$RUN/accepting-xfrm.so" "$GATEWAYS/accepting-xfrm.c" || die "cannot compile"
    setsid ip netns exec "$(namespace gateway)" unshare --mount --propagation private bash -c '
        mount --bind "$0/usr/libexec" /usr/libexec && mount --bind "$1/run" /run &&
            exec env LD_PRELOAD="$1/accepting-xfrm.so" "$0/usr/libexec/ipsec/pluto" --nofork --stderrlog \
            --rundir /run/pluto --config "$1/ipsec.conf" --secretsfile "$1/ipsec.secrets" --nssdir "$1/nss"' \
        "$LIBRESWAN" "$RUN" >"$RUN/log" 2>&1 </dev/null &
    pid=$!
    disown
    echo $pid >"$RUN/pid"
    until grep -qs 'loading secrets' "$RUN/log" && whack --status >/dev/null 2>&1; do
        if ! [ -d /proc/$pid ] || [ $SECONDS -ge $deadline ]; then
            tail -n 20 "$RUN/log" >&2
            die "pluto did not start"
        fi
        sleep 0.05
    done
}

read_arguments "$@"
RUN=$(files)/gateway
case $VERB in
    up)
        require_libreswan
        network_down
        network_up
        write_configuration || die "cannot write the files of $NAME"
        start_pluto
        ;;
    down) network_down ;;
    states) whack --showstates ;;
    traffic) whack --trafficstatus ;;
    rekey-child) whack --asynchronous --rekey-ipsec --name clients ;;
    rekey-ike) whack --asynchronous --rekey-ike --name clients ;;
    terminate) whack --terminate --name clients ;;
    whack) whack "${REST[@]}" ;;
    log) cat "$RUN/log" ;;
    pid) cat "$RUN/pid" ;;
    *) die "no such verb: $VERB" ;;
esac
