#!/bin/bash
# network.sh up|down|exec|nat NAME [ARGUMENTS...]: two network namespaces joined by one link, for a rig called NAME.
#
#   namespace        ikestorm-NAME-clients                       ikestorm-NAME-gateway
#   link             10.98.1.1/24, fd98:1::1/64  <---veth--->   10.98.1.2/24, fd98:1::2/64
#   sources          all of 10.99.0.0/16 and fd99::/64           10.200.0.1/32, fd00:200::1/128
#                    (AnyIP: any of them can be bound)
#
# Nothing outside the two namespaces sees these addresses, so rigs of different names run side by side. `exec` runs a
# command among the clients (SIDE=gateway: beside the gateway) as the user who calls. `nat clients` puts what sends
# from 10.99.0.0/16 behind a NAT, at 10.98.1.1 and ports from 20000 on; `nat gateway` has 10.97.0.1 lead to the
# gateway. `down` ends what still runs in them, and removes the rig's files: those are in RUNROOT.
#
# The other scripts source this file for its functions.
set -uo pipefail
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin

GATEWAY_ADDRESS=10.98.1.2
CLIENT_ADDRESS=10.98.1.1
NAT_ADDRESS=10.97.0.1

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# Namespaces are root's business. A user with sudo gets there, with the whole environment.
become_root() {
    [ "$(id -u)" -eq 0 ] && return
    command -v sudo >/dev/null || die "needs root, or sudo"
    local environment
    mapfile -d '' -t environment < <(env -0)
    exec sudo -n env "${environment[@]}" "RIG_USER=$(id -u)" "RIG_GROUP=$(id -g)" "$0" "$@"
}

files() { echo "${RUNROOT:-${TMPDIR:-/tmp}/ikestorm-rigs}/$NAME"; }
namespace() { echo "ikestorm-$NAME-$1"; } # clients|gateway
within() { # clients|gateway COMMAND...
    local side=$1
    shift
    ip netns exec "$(namespace "$side")" "$@"
}
network_exists() { [ -e "/run/netns/$(namespace gateway)" ] && [ -e "/run/netns/$(namespace clients)" ]; }

network_up() {
    join_namespaces && return
    network_down
    die "cannot make the network of $NAME"
}

join_namespaces() {
    # Two rigs that start at once must not both be the first to prepare /run/netns.
    exec 9>"/run/lock/ikestorm-rig" && flock 9
    ip netns add "$(namespace clients)" && ip netns add "$(namespace gateway)" || return
    exec 9>&-
    ip -n "$(namespace clients)" link add link0 type veth peer name link0 netns "$(namespace gateway)" || return
    local side last=1
    for side in clients gateway; do
        within $side sysctl -q -w net.ipv4.ip_unprivileged_port_start=0 net.ipv4.conf.all.rp_filter=0 \
            net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.accept_dad=0 \
            net.ipv6.conf.link0.accept_dad=0
        ip -n "$(namespace $side)" -batch - <<BATCH || return
link set lo up
address add 10.98.1.$last/24 dev link0
address add fd98:1::$last/64 dev link0 nodad
link set link0 up
BATCH
        last=2
    done
    ip -n "$(namespace clients)" -batch - <<BATCH || return
route add local 10.99.0.0/16 dev lo
route add local fd99::/64 dev lo
BATCH
    ip -n "$(namespace gateway)" -batch - <<BATCH
address add 10.200.0.1/32 dev lo
address add fd00:200::1/128 dev lo
route add 10.99.0.0/16 via $CLIENT_ADDRESS
route add fd99::/64 via fd98:1::1
BATCH
}

# Ends every process inside a namespace of this rig, whoever left it there, by its number.
stop_processes() { # clients|gateway
    local pids tries=0
    while pids=$(ip netns pids "$(namespace "$1")" 2>/dev/null) && [ -n "$pids" ]; do
        if [ $tries -eq 0 ]; then kill -TERM $pids 2>/dev/null; fi
        if [ $tries -ge 100 ]; then kill -KILL $pids 2>/dev/null; fi
        tries=$((tries + 1))
        sleep 0.05
    done
}

network_down() {
    local side
    for side in clients gateway; do
        [ -e "/run/netns/$(namespace $side)" ] || continue
        stop_processes $side
        ip netns delete "$(namespace $side)"
    done
    rm -rf "$(files)"
}

network_exec() {
    local side=${SIDE:-clients}
    network_exists || die "there is no network called $NAME: network.sh up $NAME"
    [ $# -gt 0 ] || die "exec NAME COMMAND..."
    if [ -n "${RIG_USER:-}" ]; then
        exec ip netns exec "$(namespace "$side")" setpriv --reuid "$RIG_USER" --regid "$RIG_GROUP" --init-groups -- "$@"
    fi
    exec ip netns exec "$(namespace "$side")" "$@"
}

# Both NATs are in the clients' namespace, and so need no third one between.
network_nat() { # clients|gateway
    local outer=$CLIENT_ADDRESS:20000-29999
    case $1 in
        clients) within clients iptables -w -t nat -A POSTROUTING -s 10.99.0.0/16 -p udp -j SNAT --to-source $outer ;;
        gateway)
            ip -n "$(namespace clients)" route replace $NAT_ADDRESS/32 via $GATEWAY_ADDRESS \
                && within clients iptables -w -t nat -A OUTPUT -d $NAT_ADDRESS -j DNAT --to-destination $GATEWAY_ADDRESS
            ;;
        *) die "a NAT is that of the clients or that of the gateway" ;;
    esac
}

# Sets VERB and NAME from the command line, leaves the rest in REST.
read_arguments() {
    VERB=${1:-}
    NAME=${2:-}
    [ -n "$NAME" ] || { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" && exit 64; }
    [[ $NAME =~ ^[a-z0-9-]{1,40}$ ]] || die "a rig's name is made of a-z, 0-9 and -"
    become_root "$@"
    shift 2
    REST=("$@")
}

[ "${BASH_SOURCE[0]}" = "$0" ] || return 0
read_arguments "$@"
case $VERB in
    up) network_down && network_up ;;
    down) network_down ;;
    exec) network_exec "${REST[@]}" ;;
    nat) network_nat "${REST[0]:-}" ;;
    *) die "no such verb: $VERB" ;;
esac
