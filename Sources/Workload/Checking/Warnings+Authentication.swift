import Primitives

// Proofs that the other end does not take.
extension WarningCheck {
    mutating func checkProofs(_ profile: Workload.Profile, _ gateway: Workload.Gateway) {
        let (client, theirs) = (profile.authentication, gateway.policy.authentication)
        let path = "profiles.\(profile.name).authentication"
        checkEAP(profile, gateway)
        for (one, other, own, peer) in [
            (client, theirs, profile.name, gateway.name), (theirs, client, gateway.name, profile.name),
        ] {
            // A client with EAP shows nothing beside it, and a gateway alone with it as little.
            if own == profile.name ? client.eap != nil : client.eap?.isOnly == true && theirs.eap?.isOnly == true {
                continue
            }
            if one.credentials != nil, other.authorities == nil {
                warn(path, "\(own) signs, and \(peer) believes no authority: nobody is authenticated")
            } else if one.credentials == nil, one.sharedKey != nil, other.sharedKey == nil {
                warn(path, "\(own) has a pre-shared key, and \(peer) has none: nobody is authenticated")
            } else if one.credentials != nil, Set(one.signatures).isDisjoint(with: other.signatures) {
                warn(path, "\(own) and \(peer) have no signature in common: nobody is authenticated")
            }
        }
        if let one = client.sharedKey, let other = theirs.sharedKey, disagree(one, other),
            client.credentials == nil || theirs.credentials == nil
        {
            warn(path, "\(profile.name) and \(gateway.name) have different pre-shared keys: nobody is authenticated")
        }
        if client.signatures.contains(.rsaSHA1), client.signs {
            warn(
                path,
                "\(profile.name) takes `rsa-sha1`: RFC 8247 section 3.1 expects it to go, and section 3.2 forbids SHA-1 "
                    + "in what takes its place; write rsa-pss-sha256"
            )
        }
    }

    /// Keys of other kinds may be the same ones, which only a run shows.
    func disagree(_ one: Workload.SharedKey, _ other: Workload.SharedKey) -> Bool {
        switch (one, other) {
        case (.one(let one), .one(let other)): one != other
        case (.derived(let one), .derived(let other)): one != other
        default: false
        }
    }
}
