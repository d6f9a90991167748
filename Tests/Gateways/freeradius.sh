#!/bin/bash
# freeradius.sh VERB NAME: FreeRADIUS as an authentication server on 127.0.0.1, for a rig called NAME.
#
#   up             start it (whatever a server of this name left behind is removed first)
#   down           stop it, and remove its files
#   log            what it logged
#   directory      where its files are: ca.pem, and a client's client.pem and client.key for EAP-TLS
#
# It is not the system's own service: everything of it lies in RUNROOT, and it listens on $PORT alone. The one user is
# $RADIUS_USER with $RADIUS_PASSWORD; the server's certificate has the DNS name $SERVER_NAME.
#
# Knobs, read from the environment by `up`: PORT SECRET RADIUS_USER RADIUS_PASSWORD SERVER_NAME TLS_MAXIMUM (1.2 or 1.3)
# DEFAULT_METHOD (md5, gtc, mschapv2 or tls) FRAGMENT_SIZE; PKI, a folder of `ikestorm pki`, whose gateway.pem is then
# the server's. The user DEFAULT is everybody.
set -uo pipefail
export LC_ALL=C
PATH=$PATH:/usr/sbin

VERB=${1:-}
NAME=${2:-}
PORT=${PORT:-21812}
SECRET=${SECRET:-test-only}
RADIUS_USER=${RADIUS_USER:-user@example.org}
RADIUS_PASSWORD=${RADIUS_PASSWORD:-test-only}
SERVER_NAME=${SERVER_NAME:-radius.example.org}
TLS_MAXIMUM=${TLS_MAXIMUM:-1.3}
DEFAULT_METHOD=${DEFAULT_METHOD:-md5}
FRAGMENT_SIZE=${FRAGMENT_SIZE:-1024}
PKI=${PKI:-}
RUN=${RUNROOT:-${TMPDIR:-/tmp}/ikestorm-rigs}/$NAME

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

[ -n "$NAME" ] || { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" && exit 64; }
[[ $NAME =~ ^[a-z0-9-]{1,40}$ ]] || die "a rig's name is made of a-z, 0-9 and -"

# The server's process while it runs: a number in a file may have become another's, and a dead process waits for init.
server_pid() {
    local pid status
    pid=$(cat "$RUN/pid" 2>/dev/null) && status=$(cat "/proc/$pid/status" 2>/dev/null) || return
    [[ $status == Name:*freeradius* && $status != *State:*Z\ * ]] && echo "$pid"
}

down() {
    local pid tries=0
    while pid=$(server_pid); do
        if [ $tries -eq 0 ]; then kill -TERM "$pid"; fi
        # It takes a second to leave, and has nothing to put in order.
        if [ $tries -eq 2 ]; then kill -KILL "$pid"; fi
        tries=$((tries + 1))
        sleep 0.05
    done
    rm -rf "$RUN"
}

entity() { # FILE SUBJECT-ALTERNATIVE-NAME USAGE
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout "$1.key" -subj "/CN=$1" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out "$1.pem" -extfile <(
        printf '%s\n' "subjectAltName=$2" "extendedKeyUsage=$3" keyUsage=digitalSignature basicConstraints=CA:FALSE
    )
}

certificates() (
    cd "$RUN" || exit
    if [ -n "$PKI" ]; then
        cp "$PKI/ca.pem" ca.pem && openssl pkey -in "$PKI/gateway.pem" -out server.key &&
            awk '/^-----BEGIN CERTIFICATE/ { found = 1 } found { print }' "$PKI/gateway.pem" >server.pem
        return
    fi
    {
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout ca.key -days 30 -subj "/CN=test" \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign -out ca.pem &&
            entity server "DNS:$SERVER_NAME" serverAuth && entity client "email:$RADIUS_USER" clientAuth
    } >openssl.log 2>&1 || { cat openssl.log >&2; exit 1; }
)

configuration() {
    local user="\"$RADIUS_USER\""
    [ "$RADIUS_USER" = DEFAULT ] && user=DEFAULT
    printf '%s Cleartext-Password := "%s"\n' "$user" "$RADIUS_PASSWORD" >"$RUN/users"
    cat >"$RUN/radiusd.conf" <<CONF
prefix = /usr
name = freeradius
confdir = $RUN
run_dir = $RUN
logdir = $RUN
libdir = /usr/lib/freeradius
pidfile = $RUN/pid.unused
max_request_time = 10
cleanup_delay = 2
max_requests = 65536
hostname_lookups = no
proxy_requests = no
log {
  destination = files
  file = $RUN/log
  auth = yes
}
security {
  reject_delay = 0
  status_server = no
}
client loopback {
  ipaddr = 127.0.0.0/8
  secret = "$SECRET"
  require_message_authenticator = yes
}
thread pool {
  start_servers = 2
  max_servers = 8
  min_spare_servers = 1
  max_spare_servers = 4
  max_requests_per_server = 0
}
modules {
  pap { }
  mschap {
    use_mppe = yes
  }
  files {
    usersfile = $RUN/users
  }
  eap {
    default_eap_type = $DEFAULT_METHOD
    timer_expire = 30
    max_sessions = 65536
    md5 { }
    gtc {
      auth_type = PAP
    }
    mschapv2 {
      send_error = yes
    }
    tls-config common {
      private_key_file = $RUN/server.key
      certificate_file = $RUN/server.pem
      ca_file = $RUN/ca.pem
      tls_min_version = "1.2"
      tls_max_version = "$TLS_MAXIMUM"
      cipher_list = "DEFAULT"
      ecdh_curve = ""
      fragment_size = $FRAGMENT_SIZE
    }
    tls {
      tls = common
    }
  }
}
server default {
  listen {
    type = auth
    ipaddr = 127.0.0.1
    port = $PORT
  }
  authorize {
    eap {
      ok = return
    }
    files
    pap
  }
  authenticate {
    Auth-Type PAP {
      pap
    }
    Auth-Type MS-CHAP {
      mschap
    }
    eap
  }
}
CONF
}

up() {
    command -v freeradius >/dev/null || die "freeradius is missing: scripts/install test"
    down
    mkdir -p "$RUN" && chmod 700 "$RUN" && certificates && configuration || die "cannot write the files of $NAME"
    setsid freeradius -f -d "$RUN" -n radiusd >"$RUN/output" 2>&1 </dev/null &
    local pid=$! deadline=$((SECONDS + 15))
    disown
    echo $pid >"$RUN/pid"
    until grep -q 'Ready to process requests' "$RUN/log" 2>/dev/null; do
        if ! [ -d /proc/$pid ] || [ $SECONDS -ge $deadline ]; then
            tail -n 20 "$RUN/output" "$RUN/log" >&2
            die "FreeRADIUS did not start"
        fi
        sleep 0.02
    done
}

case $VERB in
    up) up ;;
    down) down ;;
    log) cat "$RUN/log" ;;
    directory) echo "$RUN" ;;
    *) die "no such verb: $VERB" ;;
esac
