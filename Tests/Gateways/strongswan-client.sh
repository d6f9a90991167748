#!/bin/bash
# strongswan-client.sh VERB NAME [ARGUMENTS...]: strongSwan as an initiator, among the clients of the rig called NAME.
#
#   up             start it, and the rig's network where there is none yet
#   down           stop it; the network stays (network.sh down NAME)
#   initiate [N]   set up client N's IKE SA and Child SA (1)
#   leave [N]      take client N's address away (1): charon moves to 10.98.1.1
#   kill           end it as a crash would: it deletes nothing
#   sas | stats | rekey-child | rekey-ike | terminate | log | swanctl      as in strongswan.sh
#
# Client N is called client-N, is user-N@example.org and sends from 10.99.0.N (10.99.1.0 after 10.99.0.255).
#
# Knobs, read from the environment by `up`: CLIENTS (how many, 1) GATEWAY PSK PASSWORD IDENTITY (the gateway's)
# IKE_PROPOSALS ESP_PROPOSALS (with ; between them: client 1's, client 2's and so on) IKE_REKEY IKE_OVER IKE_REAUTH
# CHILD_REKEY CHILDLESS DPD_DELAY MOBIKE FRAGMENTATION REMOTE_TS VIPS (0.0.0.0, ::), and those at the head of charon.sh.
set -uo pipefail
GATEWAYS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$GATEWAYS/network.sh"
. "$GATEWAYS/charon.sh"

CLIENTS=${CLIENTS:-1}
GATEWAY=${GATEWAY:-$GATEWAY_ADDRESS}
PSK=${PSK:-test-only}
PASSWORD=${PASSWORD:-test-only} # of each client, for the methods of EAP that have one
IDENTITY=${IDENTITY:-gw.example.org}
VIPS=${VIPS:-0.0.0.0}
IKE_PROPOSALS=${IKE_PROPOSALS:-aes128gcm16-prfsha256-x25519}
ESP_PROPOSALS=${ESP_PROPOSALS:-aes128gcm16-x25519}
IKE_REKEY=${IKE_REKEY:-4h}
IKE_OVER=${IKE_OVER:-}
IKE_REAUTH=${IKE_REAUTH:-0s}
CHILD_REKEY=${CHILD_REKEY:-1h}
CHILDLESS=${CHILDLESS:-allow}
DPD_DELAY=${DPD_DELAY:-0s}
MOBIKE=${MOBIKE:-yes}
FRAGMENTATION=${FRAGMENTATION:-yes}
REMOTE_TS=${REMOTE_TS:-10.200.0.0/16}
CONNECTION=client-1

client_address() { echo "10.99.$(($1 / 256)).$(($1 % 256))"; }

# charon puts a client's virtual address on the interface that has its outer one: AnyIP alone does not do.
add_client_addresses() {
    local client
    for ((client = 1; client <= CLIENTS; client++)); do
        echo "address replace $(client_address $client)/32 dev link0"
    done | ip -n "$(namespace clients)" -batch -
}

# The Nth of what has ; between, or the only one.
part() { # LIST N
    local parts
    IFS=';' read -ra parts <<<"$1"
    echo "${parts[$2 - 1]:-${parts[0]}}"
}

write_connections() {
    local client
    {
        echo "connections {"
        for ((client = 1; client <= CLIENTS; client++)); do
            cat <<CONF
  client-$client {
    version = 2
    local_addrs = $(client_address $client)
    remote_addrs = $GATEWAY
    proposals = $(part "$IKE_PROPOSALS" $client)
    vips = $VIPS
    mobike = $MOBIKE
    fragmentation = $FRAGMENTATION
    dpd_delay = $DPD_DELAY
    rekey_time = $IKE_REKEY
    reauth_time = $IKE_REAUTH
    ${IKE_OVER:+over_time = $IKE_OVER}
    childless = $CHILDLESS
    rand_time = 0s
    local {
      $(proof "$LOCAL_AUTH" ${PKI:+user-$client.pem})
      id = user-$client@example.org
    }
    remote {
      $(proof "$REMOTE_AUTH")
      id = $IDENTITY
    }
    children {
      net {
        remote_ts = $REMOTE_TS
        esp_proposals = $(part "$ESP_PROPOSALS" $client)
        rekey_time = $CHILD_REKEY
        rand_time = 0s
      }
    }
  }
CONF
        done
        printf '}\nsecrets {\n  ike-any {\n    secret = "%s"\n  }\n' "$PSK"
        for ((client = 1; client <= CLIENTS; client++)); do
            printf '  eap-%s {\n    id = user-%s@example.org\n    secret = "%s"\n  }\n' $client $client "$PASSWORD"
        done
        echo "}"
    } >"$RUN/swanctl/swanctl.conf"
}

read_arguments "$@"
RUN=$(files)/clients
case $VERB in
    up)
        require_charon
        network_exists || { network_down && network_up; }
        stop_processes clients
        rm -rf "$RUN"
        write_charon_configuration
        write_connections
        if [ -n "$PKI" ]; then
            load_authority "$PKI/ca.pem"
            load_credentials "$PKI/clients.pem" user
        fi
        add_client_addresses || die "cannot add the clients' addresses"
        start_charon clients
        ;;
    down) stop_processes clients ;;
    initiate) swanctl --initiate --child net --ike "client-${REST[0]:-1}" --timeout 20 ;;
    leave) ip -n "$(namespace clients)" address del "$(client_address "${REST[0]:-1}")/32" dev link0 ;;
    kill) kill -KILL "$(cat "$RUN/pid")" ;;
    *) charon_verb ;;
esac
