import IKEWire
import Primitives

// The Configuration payload of IKE_AUTH (RFC 7296 sections 2.19 and 3.15).

extension MessageEncoder {
    /// CP(CFG_REQUEST): asks for any address of each family that the policy wants, and for what goes with it.
    mutating func configurationRequest(_ policy: PeerPolicy) {
        let wanted = policy.values.requestedAddresses
        guard !wanted.isEmpty else { return }
        var attributes: [ConfigurationAttribute] = []
        for family in [InnerFamily.ipv4, .ipv6] where wanted.contains(family.families) {
            attributes.append(ConfigurationAttribute(family.address))
            if policy.values.requestsNameServers { attributes.append(ConfigurationAttribute(family.nameServer)) }
            if policy.values.requestsSubnets { attributes.append(ConfigurationAttribute(family.subnet)) }
        }
        configuration(.request, attributes)
    }

    /// CP(CFG_REPLY): the addresses that were leased, and of the other settings those that were asked for.
    mutating func configurationReply(_ lease: InnerAddresses, to request: ConfigurationRequest, _ policy: PeerPolicy) {
        guard !lease.isEmpty else { return }
        var attributes: [ConfigurationAttribute] = []
        lease.forEachAddress { address in
            let family = InnerFamily(of: address)
            // An IPv6 address comes with the length of its prefix (section 3.15.1): a host has all of it.
            attributes.append(ConfigurationAttribute(family.address, address.octets + (address.isIPv4 ? [] : [128])))
        }
        for server in policy.values.nameServers where request.nameServers.contains(InnerFamily(of: server).families) {
            attributes.append(ConfigurationAttribute(InnerFamily(of: server).nameServer, server.octets))
        }
        for subnet in policy.values.subnets where request.subnets.contains(InnerFamily(of: subnet.address).families) {
            let family = InnerFamily(of: subnet.address)
            attributes.append(ConfigurationAttribute(family.subnet, subnet.address.octets + family.maskOctets(subnet)))
        }
        configuration(.reply, attributes)
    }
}

/// What a CFG_REQUEST asks for.
struct ConfigurationRequest: Hashable, Sendable, BitwiseCopyable {
    var addresses: AddressFamilies = []
    var nameServers: AddressFamilies = []
    var subnets: AddressFamilies = []
}

/// What a CFG_REPLY gives.
struct ConfigurationReply: Hashable, Sendable {
    var addresses = InnerAddresses()
    var nameServers: [IPAddress] = []
    var subnets: [IPPrefix] = []
}

extension Contents {
    /// What the CFG_REQUEST asks for; nothing where there is none, or it does not decode.
    var configurationRequest: ConfigurationRequest {
        var request = ConfigurationRequest()
        forEachAttribute(of: .request) { type, _ in
            for family in [InnerFamily.ipv4, .ipv6] {
                if type == family.address { request.addresses.insert(family.families) }
                if type == family.nameServer { request.nameServers.insert(family.families) }
                if type == family.subnet { request.subnets.insert(family.families) }
            }
        }
        return request
    }

    /// What the CFG_REPLY gives; an attribute of a wrong length is left out.
    var configurationReply: ConfigurationReply {
        var reply = ConfigurationReply()
        forEachAttribute(of: .reply) { type, value in
            for family in [InnerFamily.ipv4, .ipv6] where value.byteCount >= family.byteCount {
                guard let address = family.readAddress(value) else { continue }
                let rest = value.byteCount - family.byteCount
                if type == family.address, rest == family.prefixByteCount { reply.addresses.insert(address) }
                if type == family.nameServer, rest == 0, reply.nameServers.count < Self.mostSettings {
                    reply.nameServers.append(address)
                }
                if type == family.subnet, reply.subnets.count < Self.mostSettings,
                    let length = family.readPrefixLength(value)
                {
                    reply.subnets.append(IPPrefix(address: address, length: length))
                }
            }
        }
        return reply
    }

    private func forEachAttribute(
        of wanted: ConfigurationType,
        _ body: (ConfigurationAttributeType, RawSpan) -> Void
    ) {
        guard has(.configuration), let payload = try? Configuration(configuration), payload.type == wanted else {
            return
        }
        var attributes = payload.attributes
        while let attribute = try? attributes.next() { body(attribute.type, attribute.value) }
    }

    /// Of a reply with very many settings the first ones count.
    private static var mostSettings: Int { 32 }
}

extension IKESA.Established {
    /// Takes what the peer's CFG_REPLY gives.
    mutating func take(_ reply: ConfigurationReply, _ turn: inout Turn) {
        innerAddresses = reply.addresses
        reply.addresses.forEachAddress { turn.output.report(.addressAssigned($0)) }
        for server in reply.nameServers { turn.output.report(.nameServerGiven(server)) }
        for subnet in reply.subnets { turn.output.report(.subnetGiven(subnet)) }
    }
}

/// The attributes of one address family (RFC 7296 section 3.15.1).
private enum InnerFamily {
    case ipv4, ipv6

    init(of address: IPAddress) { self = address.isIPv4 ? .ipv4 : .ipv6 }

    var families: AddressFamilies { self == .ipv4 ? .ipv4 : .ipv6 }
    var address: ConfigurationAttributeType { self == .ipv4 ? .internalIPv4Address : .internalIPv6Address }
    var nameServer: ConfigurationAttributeType { self == .ipv4 ? .internalIPv4DNS : .internalIPv6DNS }
    var subnet: ConfigurationAttributeType { self == .ipv4 ? .internalIPv4Subnet : .internalIPv6Subnet }
    var byteCount: Int { self == .ipv4 ? 4 : 16 }
    /// What stands behind the address in INTERNAL_IP6_ADDRESS.
    var prefixByteCount: Int { self == .ipv4 ? 0 : 1 }

    func readAddress(_ value: RawSpan) -> IPAddress? {
        var reader = ByteReader(value)
        switch self {
        case .ipv4: return (try? reader.readInteger(as: UInt32.self)).map(IPAddress.init(v4:))
        case .ipv6:
            guard let high = try? reader.readInteger(as: UInt64.self),
                let low = try? reader.readInteger(as: UInt64.self)
            else { return nil }
            return IPAddress(high: high, low: low)
        }
    }

    /// Behind a subnet's address: a mask of 32 bits, or a length in one octet.
    func maskOctets(_ subnet: IPPrefix) -> [UInt8] {
        switch self {
        case .ipv4: return IPAddress(v4: subnet.length == 0 ? 0 : ~0 << UInt32(32 - subnet.length)).octets
        case .ipv6: return [UInt8(subnet.length)]
        }
    }

    /// The length of a subnet's prefix; nil where there is none, or the mask has a hole.
    func readPrefixLength(_ value: RawSpan) -> Int? {
        guard value.byteCount == byteCount + (self == .ipv4 ? 4 : 1) else { return nil }
        switch self {
        case .ipv4:
            guard let mask = readAddress(value.extracting(4..<8))?.v4 else { return nil }
            let length = (~mask).leadingZeroBitCount
            return mask == (length == 0 ? 0 : ~0 << UInt32(32 - length)) ? length : nil
        case .ipv6: return value[16] <= 128 ? Int(value[16]) : nil
        }
    }
}

extension IPAddress {
    var octets: [UInt8] { (0..<byteCount).map { byte(at: $0) } }
}
