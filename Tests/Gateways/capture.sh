#!/bin/bash
# capture.sh start|stop|read NAME: what passes the link of the rig called NAME, as the clients' end sees it.
#
#   start   returns once nothing can slip by any more
#   stop    ends the capture
#   read    a line for each IP packet: source, port, destination, port, octets of the frame
set -uo pipefail
GATEWAYS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$GATEWAYS/network.sh"

# IPv6's own chatter about neighbours and groups says nothing about who sent what.
INTERESTING='ip or (ip6 and not icmp6 and not dst net ff00::/8)'

start_capture() {
    network_exists || die "there is no network called $NAME"
    command -v dumpcap >/dev/null || die "dumpcap is missing: scripts/install test"
    mkdir -p "$(files)"
    : >"$(files)/capture.out"
    local pid deadline=$((SECONDS + 10))
    # Whatever else this machine does, it takes what comes at once.
    setsid nice -n -20 ip netns exec "$(namespace clients)" dumpcap -q -p -i link0 -f "$INTERESTING" \
        -w "$(files)/capture.pcapng" >"$(files)/capture.out" 2>&1 </dev/null &
    pid=$!
    disown
    echo $pid >"$(files)/capture.pid"
    # It names its file when it has begun.
    until grep -q '^File: ' "$(files)/capture.out"; do
        if ! [ -d /proc/$pid ] || [ $SECONDS -ge $deadline ]; then
            cat "$(files)/capture.out" >&2
            die "dumpcap did not start"
        fi
        sleep 0.02
    done
}

stop_capture() {
    local pid
    pid=$(cat "$(files)/capture.pid") || die "nothing is being captured"
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dumpcap ] || die "dumpcap has ended by itself"
    # What the kernel still holds back comes within its read time-out.
    sleep 0.5
    kill -TERM "$pid"
    while [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dumpcap ] && ! grep -q '^State:.Z' "/proc/$pid/status"; do
        sleep 0.02
    done
    rm "$(files)/capture.pid"
    chmod a+r "$(files)/capture.pcapng"
}

read_arguments "$@"
case $VERB in
    start) start_capture ;;
    stop) stop_capture ;;
    read)
        tshark -r "$(files)/capture.pcapng" -Y 'ip or ipv6' -T fields -E separator=' ' -E occurrence=f \
            -e _ws.col.Source -e udp.srcport -e _ws.col.Destination -e udp.dstport -e frame.len 2>/dev/null
        ;;
    *) die "no such verb: $VERB" ;;
esac
