#!/bin/bash
# strongswan.sh VERB NAME [ARGUMENTS...]: strongSwan as a gateway, for a rig called NAME (network.sh has its network).
#
#   up             start it (whatever a rig of this name left behind is removed first)
#   down           stop it, and remove the network
#   sas | stats    its list of IKE SAs and Child SAs (arguments: those of swanctl --list-sas), its counters
#   rekey-child | rekey-ike | terminate      start these exchanges towards every client
#   restart        end it as a crash would, and start it again: it knows no IKE SA any more
#   roll FOLDER    prove itself by, and believe, the certificates of another folder of `ikestorm pki` from now on
#   log | pid      what charon logged, the number of its process
#   swanctl        anything else: the arguments are swanctl's
#
# Clients run in the namespace of the clients (network.sh exec NAME COMMAND...), talk to 10.98.1.2, authenticate with
# $PSK, expect the identity $IDENTITY, and must ask for an address.
#
# Knobs, read from the environment by `up`: PSK IDENTITY IKE_PROPOSALS ESP_PROPOSALS IKE_REKEY IKE_OVER (how long an
# IKE SA may outlive its rekey: a tenth of it) IKE_REAUTH CHILD_REKEY CHILD_LIFE DPD_DELAY UNIQUE CHILDLESS MOBIKE
# FRAGMENTATION POOL POOL6 NAME_SERVERS SUBNETS LOCAL_TS KNOWN_PASSWORD, EAP_ID (`%any`: it asks for the identity
# in EAP), KEYS (a CSV file of identity and key: a shared key for each client, in the place of $PSK),
# and those at the head of charon.sh: with PKI, a folder of `ikestorm pki`, both ends have certificates.
set -uo pipefail
GATEWAYS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$GATEWAYS/network.sh"
. "$GATEWAYS/charon.sh"

PSK=${PSK:-test-only}
IDENTITY=${IDENTITY:-gw.example.org}
GROUPS_OFFERED=x25519-ecp256-ecp384-modp2048-modp3072
IKE_PROPOSALS=${IKE_PROPOSALS:-aes128gcm16-aes256gcm16-chacha20poly1305-prfsha256-prfsha384-prfsha512-$GROUPS_OFFERED,\
aes128-aes256-sha256-sha384-prfsha256-prfsha384-prfsha512-$GROUPS_OFFERED}
ESP_PROPOSALS=${ESP_PROPOSALS:-aes128gcm16-aes256gcm16-chacha20poly1305-$GROUPS_OFFERED-none,\
aes128-aes256-sha256-sha384-$GROUPS_OFFERED-none}
IKE_REKEY=${IKE_REKEY:-4h}
IKE_OVER=${IKE_OVER:-}
IKE_REAUTH=${IKE_REAUTH:-0s}
CHILD_REKEY=${CHILD_REKEY:-1h}
CHILD_LIFE=${CHILD_LIFE:-66m}
DPD_DELAY=${DPD_DELAY:-0s}
UNIQUE=${UNIQUE:-never}
CHILDLESS=${CHILDLESS:-allow}
MOBIKE=${MOBIKE:-yes}
FRAGMENTATION=${FRAGMENTATION:-yes}
POOL=${POOL:-10.128.0.0/10}
POOL6=${POOL6:-fd00:7::/112}
NAME_SERVERS=${NAME_SERVERS:-}
SUBNETS=${SUBNETS:-}
LOCAL_TS=${LOCAL_TS:-10.200.0.0/16}
KNOWN_PASSWORD=${KNOWN_PASSWORD:-test-only} # of user-1, for the methods of EAP that have one; in EAP it may be guest-1
EAP_ID=${EAP_ID:-}
KEYS=${KEYS:-}
CONNECTION=psk

shared_keys() {
    if [ -z "$KEYS" ]; then
        printf 'ike-any {\n secret = "%s"\n }\n' "$PSK"
        return
    fi
    # Without the gateway's own identity: charon would take any key of that for any client's.
    awk -F, '$1 != "identity" { printf "ike-%d {\n id = %s\n secret = \"%s\"\n }\n", NR, $1, $2 }' "$KEYS"
}

write_connections() {
    cat >"$RUN/swanctl/swanctl.conf" <<CONF
connections {
  $CONNECTION {
    version = 2
    local_addrs = $GATEWAY_ADDRESS, fd98:1::2
    proposals = $IKE_PROPOSALS
    pools = clients, clients6
    mobike = $MOBIKE
    fragmentation = $FRAGMENTATION
    unique = $UNIQUE
    childless = $CHILDLESS
    dpd_delay = $DPD_DELAY
    rekey_time = $IKE_REKEY
    ${IKE_OVER:+over_time = $IKE_OVER}
    reauth_time = $IKE_REAUTH
    rand_time = 0s
    local {
      $(proof "$LOCAL_AUTH" ${PKI:+gateway-1.pem})
      id = $IDENTITY
    }
    remote {
      $(proof "$REMOTE_AUTH")
      ${EAP_ID:+eap_id = $EAP_ID}
    }
    children {
      net {
        local_ts = $LOCAL_TS
        esp_proposals = $ESP_PROPOSALS
        rekey_time = $CHILD_REKEY
        life_time = $CHILD_LIFE
        rand_time = 0s
        dpd_action = clear
      }
    }
  }
}
pools {
  clients {
    addrs = $POOL
    ${NAME_SERVERS:+dns = $NAME_SERVERS}
    ${SUBNETS:+subnet = $SUBNETS}
  }
  clients6 {
    addrs = $POOL6
  }
}
secrets {
  $(shared_keys)
  eap-1 {
    id = user-1@example.org
    id-guest = guest-1@example.org
    secret = "$KNOWN_PASSWORD"
  }
}
CONF
}

read_arguments "$@"
RUN=$(files)/gateway
case $VERB in
    up)
        require_charon
        network_down
        network_up
        write_charon_configuration
        write_connections
        if [ -n "$PKI" ]; then
            load_authority "$PKI/ca.pem"
            load_credentials "$PKI/gateway.pem" gateway
        fi
        start_charon gateway
        ;;
    down) network_down ;;
    restart)
        stop_charon
        start_charon gateway
        ;;
    roll)
        PKI=${REST[0]:?a folder of ikestorm pki}
        rm -rf "$RUN/swanctl"/{private,x509,x509ca}
        write_connections
        load_authority "$PKI/ca.pem"
        load_credentials "$PKI/gateway.pem" gateway
        swanctl --load-creds --clear && swanctl --load-conns
        ;;
    *) charon_verb ;;
esac
