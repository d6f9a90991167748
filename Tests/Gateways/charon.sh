#!/bin/bash
# Functions to run one strongSwan charon inside a namespace of a rig; sourced, after network.sh.
#
# Everything of it lies in $RUN: configuration, log, vici socket, and the pid file, whose directory is compiled in.

CHARON=/usr/lib/ipsec/charon
SWANCTL=/usr/sbin/swanctl
# A folder that `ikestorm pki` made: both ends have certificates, unless LOCAL_AUTH and REMOTE_AUTH say otherwise.
PKI=${PKI:-}
LOCAL_AUTH=${LOCAL_AUTH:-$([ -n "$PKI" ] && echo pubkey || echo psk)}
REMOTE_AUTH=${REMOTE_AUTH:-$([ -n "$PKI" ] && echo pubkey || echo psk)}
# With eap-radius as the clients' proof: the RADIUS server, on 127.0.0.1 of the gateway's namespace.
RADIUS_PORT=${RADIUS_PORT:-1812}
RADIUS_SECRET=${RADIUS_SECRET:-test-only}
RADIUS_SOCKETS=${RADIUS_SOCKETS:-16}
ASK_NAME_SERVERS=${ASK_NAME_SERVERS:-no} # yes: an initiator asks for name servers, and writes them to its resolv.conf
PLUGINS="random nonce openssl drbg aes sha1 sha2 md5 hmac kdf pem pkcs1 pkcs8 x509 constraints pubkey curve25519 chapoly
 gcm ctr gmp kernel-libipsec kernel-netlink socket-default vici counters"
[ "$ASK_NAME_SERVERS" = yes ] && PLUGINS+=" resolve"
case $LOCAL_AUTH$REMOTE_AUTH in
    *eap*) PLUGINS+=" eap-identity eap-md5 eap-gtc xauth-generic eap-mschapv2 eap-tls eap-radius" ;;
esac

THREADS=${THREADS:-16} # with 4, charon hangs: some of them always wait
DOS_PROTECTION=${DOS_PROTECTION:-yes}
COOKIE_THRESHOLD=${COOKIE_THRESHOLD:-30}
COOKIE_THRESHOLD_IP=${COOKIE_THRESHOLD_IP:-3}
BLOCK_THRESHOLD=${BLOCK_THRESHOLD:-5}
HALF_OPEN_TIMEOUT=${HALF_OPEN_TIMEOUT:-30}
RETRANSMIT_TIMEOUT=${RETRANSMIT_TIMEOUT:-4.0}
RETRANSMIT_TRIES=${RETRANSMIT_TRIES:-5}
RETRANSMIT_BASE=${RETRANSMIT_BASE:-1.8}
DELETE_REKEYED_DELAY=${DELETE_REKEYED_DELAY:-5}
FRAGMENT_SIZE=${FRAGMENT_SIZE:-1280}
MAX_PACKET=${MAX_PACKET:-10000} # how long a message it takes in fragments
MAKE_BEFORE_BREAK=${MAKE_BEFORE_BREAK:-no} # how an initiator reauthenticates
SIGNATURE_AUTHENTICATION=${SIGNATURE_AUTHENTICATION:-yes} # no: the methods that are older than RFC 7427
RSA_PSS=${RSA_PSS:-no}
LOG_LEVEL=${LOG_LEVEL:-1}
SAVE_KEYS=${SAVE_KEYS:-no} # yes: IKE keys in the log (LOG_LEVEL 4 of its own), for captures
CPU=${CPU:-}

require_charon() {
    local tool
    for tool in "$CHARON" "$SWANCTL"; do
        [ -x "$tool" ] || die "$tool is missing: scripts/install test"
    done
    [ -c /dev/net/tun ] || modprobe tun 2>/dev/null
    [ -c /dev/net/tun ] || die "there is no /dev/net/tun: charon cannot carry ESP"
}

swanctl() { SWANCTL_DIR=$RUN/swanctl STRONGSWAN_CONF=$RUN/strongswan.conf "$RUN/swanctl.bin" "$@"; }

write_charon_configuration() {
    mkdir -p "$RUN/run" "$RUN/swanctl"
    # Copies, because a system's AppArmor profiles name the installed paths and allow only the system's own files.
    install -m 755 "$CHARON" "$RUN/charon"
    install -m 755 "$SWANCTL" "$RUN/swanctl.bin"
    cat >"$RUN/strongswan.conf" <<CONF
charon {
  load_modular = no
  load = $(echo $PLUGINS)
  threads = $THREADS
  dos_protection = $DOS_PROTECTION
  cookie_threshold = $COOKIE_THRESHOLD
  cookie_threshold_ip = $COOKIE_THRESHOLD_IP
  block_threshold = $BLOCK_THRESHOLD
  half_open_timeout = $HALF_OPEN_TIMEOUT
  ikesa_table_size = 4096
  ikesa_table_segments = 16
  retransmit_timeout = $RETRANSMIT_TIMEOUT
  retransmit_tries = $RETRANSMIT_TRIES
  retransmit_base = $RETRANSMIT_BASE
  delete_rekeyed_delay = $DELETE_REKEYED_DELAY
  fragment_size = $FRAGMENT_SIZE
  max_packet = $MAX_PACKET
  make_before_break = $MAKE_BEFORE_BREAK
  signature_authentication = $SIGNATURE_AUTHENTICATION
  rsa_pss = $RSA_PSS
  reuse_ikesa = no
  plugins {
    vici {
      socket = unix://$RUN/vici
    }
    resolve {
      file = $RUN/resolv.conf
    }
    eap-gtc {
      # PAM would be the system's users; this one looks passwords up beside the keys.
      backend = generic
    }
    eap-radius {
      servers {
        local {
          address = 127.0.0.1
          auth_port = $RADIUS_PORT
          secret = "$RADIUS_SECRET"
          sockets = $RADIUS_SOCKETS
        }
      }
    }
  }
  filelog {
    main {
      path = $RUN/log
      time_format = %H:%M:%S
      time_add_ms = yes
      ike_name = yes
      flush_line = yes
      default = $LOG_LEVEL
$([ "$SAVE_KEYS" = yes ] && echo '      ike = 4')
    }
  }
}
swanctl {
  load = random nonce openssl curve25519 pem pkcs1 pkcs8 x509
  socket = unix://$RUN/vici
}
CONF
}

# The lines of one block of swanctl.conf's local or remote that say how that end proves itself.
proof() { # ROUND-OF-AUTHENTICATION [CERTIFICATE]
    echo "auth = $1"
    [ -n "${2:-}" ] && echo "certs = $2"
    return 0
}

# Takes a private key and its chain out of a file that `ikestorm pki` wrote: the keys and certificates of one end go to
# NAME-1, NAME-2 and so on, the intermediate certificates beside the authorities'.
load_credentials() { # FILE NAME
    mkdir -p "$RUN/swanctl"/{private,x509,x509ca}
    awk -v root="$RUN/swanctl" -v name="$2" '
        /^-----BEGIN PRIVATE KEY/ { count += 1; chain = 0; file = root "/private/" name "-" count ".pem" }
        /^-----BEGIN CERTIFICATE/ {
            chain += 1
            file = chain == 1 ? root "/x509/" name "-" count ".pem" : root "/x509ca/intermediate-" chain ".pem"
            if (chain > 1) printf "" >file
        }
        file != "" { print >file }
        /^-----END/ { close(file); file = "" }' "$1"
}

load_authority() { # FILE
    mkdir -p "$RUN/swanctl/x509ca"
    cp "$1" "$RUN/swanctl/x509ca/ca.pem"
}

# Starts charon in the namespace of `side`, waits until it answers, and loads $RUN/swanctl/swanctl.conf.
start_charon() { # clients|gateway
    local pinned=() pid deadline=$((SECONDS + 15))
    [ -n "$CPU" ] && pinned=(taskset -c "$CPU")
    STRONGSWAN_CONF=$RUN/strongswan.conf setsid ip netns exec "$(namespace "$1")" \
        unshare --mount --propagation private bash -c 'mount --bind "$0/run" /run && exec "$@"' "$RUN" \
        "${pinned[@]}" "$RUN/charon" >"$RUN/output" 2>&1 </dev/null &
    pid=$!
    disown
    echo $pid >"$RUN/pid"
    until [ -S "$RUN/vici" ] && swanctl --stats >/dev/null 2>&1; do
        if ! [ -d /proc/$pid ] || [ $SECONDS -ge $deadline ]; then
            tail -n 20 "$RUN/output" "$RUN/log" >&2
            die "charon did not start"
        fi
        sleep 0.02
    done
    swanctl --load-all >"$RUN/load" 2>&1 || {
        cat "$RUN/load" >&2
        die "charon refuses its configuration"
    }
}

# Ends charon without a word to anybody, and removes what keeps another from starting.
stop_charon() {
    local pid
    pid=$(cat "$RUN/pid") || die "charon does not run"
    kill -KILL "$pid"
    while [ -d "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do sleep 0.02; done
    rm -f "$RUN/vici" "$RUN/run/charon.pid" "$RUN/run/charon.vici"
}

# What both rigs can do with a charon that runs.
charon_verb() {
    case $VERB in
        sas) swanctl --list-sas "${REST[@]}" ;;
        stats) swanctl --stats ;;
        swanctl) swanctl "${REST[@]}" ;;
        log) cat "$RUN/log" ;;
        pid) cat "$RUN/pid" ;;
        rekey-child) swanctl --rekey --child net "${REST[@]}" ;;
        rekey-ike) swanctl --rekey --ike "${REST[@]:-$CONNECTION}" ;;
        terminate) swanctl --terminate --ike "${REST[@]:-$CONNECTION}" ;;
        *) die "no such verb: $VERB" ;;
    esac
}
