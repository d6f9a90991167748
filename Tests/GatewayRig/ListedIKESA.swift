/// An IKE SA as strongSwan lists it: the other end's account of what we think is there.
package struct ListedIKESA: Sendable, Equatable {
    /// A Child SA of it.
    package struct ChildSA: Sendable, Equatable {
        package let name: String
        package let number: Int
        package let state: String
        /// The SPI of what strongSwan receives.
        package let inboundSPI: UInt32
        /// The SPI of what strongSwan sends.
        package let outboundSPI: UInt32
        package let localTrafficSelectors: [String]
        package let remoteTrafficSelectors: [String]
        /// What it was set up with, by strongSwan's names; a key exchange only if it has one of its own.
        package let algorithms: [String]
    }

    package let connection: String
    package let number: Int
    package let state: String
    package let isInitiator: Bool
    package let remoteIdentity: String
    package let localAddress: String
    package let remoteAddress: String
    package let remotePort: Int
    /// What strongSwan was given as an initiator, in its order.
    package let virtualAddresses: [String]
    /// Which end strongSwan has found to be behind a NAT; one that it fakes for itself does not count.
    package let isLocalBehindNAT: Bool
    package let isRemoteBehindNAT: Bool
    package let initiatorSPI: UInt64
    package let responderSPI: UInt64
    package let children: [ChildSA]
    /// What it was set up with, by strongSwan's names.
    package let algorithms: [String]

    /// Reads what `swanctl --list-sas --raw` prints: one line for each IKE SA.
    package static func parse(_ text: String) throws -> [ListedIKESA] {
        try text.split(separator: "\n").filter { $0.hasPrefix("list-sa event ") }.map { line in
            var reader = ViciReader(line.dropFirst("list-sa event ".count))
            guard case .section(let fields) = try reader.value(),
                case (let name, .section(let association))? = fields.first
            else { throw ViciReader.Malformed(text: String(line)) }
            return ListedIKESA(connection: name, fields: association)
        }
    }

    private init(connection: String, fields: [(String, ViciValue)]) {
        let fields = ViciFields(fields)
        self.connection = connection
        number = Int(fields["uniqueid"]) ?? 0
        state = fields["state"]
        isInitiator = fields["initiator"] == "yes"
        localAddress = fields["local-host"]
        remoteIdentity = fields["remote-id"]
        remoteAddress = fields["remote-host"]
        remotePort = Int(fields["remote-port"]) ?? 0
        virtualAddresses = fields.list("local-vips")
        isLocalBehindNAT = fields["nat-local"] == "yes"
        isRemoteBehindNAT = fields["nat-remote"] == "yes"
        initiatorSPI = UInt64(fields["initiator-spi"], radix: 16) ?? 0
        responderSPI = UInt64(fields["responder-spi"], radix: 16) ?? 0
        children = fields.sections("child-sas").map { child in
            ChildSA(
                name: child["name"],
                number: Int(child["uniqueid"]) ?? 0,
                state: child["state"],
                inboundSPI: UInt32(child["spi-in"], radix: 16) ?? 0,
                outboundSPI: UInt32(child["spi-out"], radix: 16) ?? 0,
                localTrafficSelectors: child.list("local-ts"),
                remoteTrafficSelectors: child.list("remote-ts"),
                algorithms: child.algorithms
            )
        }
        algorithms = fields.algorithms
    }
}

/// A value of strongSwan's control protocol, as its tool prints it raw.
enum ViciValue {
    case text(String)
    case list([String])
    case section([(String, ViciValue)])
}

/// The fields of one section, by name.
struct ViciFields {
    private let fields: [(String, ViciValue)]

    init(_ fields: [(String, ViciValue)]) { self.fields = fields }

    subscript(name: String) -> String {
        guard case .text(let text)? = value(name) else { return "" }
        return text
    }

    /// In the order of the transform types.
    var algorithms: [String] {
        let length = self["encr-keysize"]
        let cipher = self["encr-alg"] + (length.isEmpty ? "" : "-\(length)")
        return ([cipher] + ["prf-alg", "integ-alg", "dh-group"].map { self[$0] }).filter { !$0.isEmpty }
    }

    func list(_ name: String) -> [String] {
        guard case .list(let list)? = value(name) else { return [] }
        return list
    }

    func sections(_ name: String) -> [ViciFields] {
        guard case .section(let sections)? = value(name) else { return [] }
        return sections.compactMap { if case .section(let fields) = $0.1 { ViciFields(fields) } else { nil } }
    }

    private func value(_ name: String) -> ViciValue? { fields.first { $0.0 == name }?.1 }
}

/// Reads `{name=text name=[text text] name {…}}`.
struct ViciReader {
    struct Malformed: Error { let text: String }

    private var rest: Substring

    init(_ text: Substring) { rest = text }

    mutating func value() throws -> ViciValue {
        if take("{") {
            var fields: [(String, ViciValue)] = []
            while !take("}") {
                let name = word(until: "= ")
                guard !name.isEmpty, take("=") || take(" ") else { throw Malformed(text: String(rest)) }
                fields.append((name, try value()))
                _ = take(" ")
            }
            return .section(fields)
        }
        if take("[") {
            let items = word(until: "]")
            guard take("]") else { throw Malformed(text: String(rest)) }
            return .list(items.split(separator: " ").map(String.init))
        }
        return .text(word(until: " }"))
    }

    private mutating func take(_ character: Character) -> Bool {
        guard rest.first == character else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func word(until ends: String) -> String {
        let word = rest.prefix { !ends.contains($0) }
        rest = rest[word.endIndex...]
        return String(word)
    }
}
