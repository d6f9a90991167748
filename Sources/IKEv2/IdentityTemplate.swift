package import IKEWire
import Primitives

/// An identity, or a family of them: numbered, as `user%05d@example.org`, or listed one by one.
package struct IdentityTemplate: Sendable {
    package let type: IdentificationType
    private let prefix: [UInt8]
    private let suffix: [UInt8]
    /// The least number of digits of the number, or nil when the identity has none.
    private let digitCount: Int?
    private let list: IdentityList?

    /// Client 1 has the first identity of the list, and so on.
    package init(_ list: IdentityList) {
        self.list = list
        type = IdentificationType(rawValue: list.body(number: 1)[0])
        (prefix, suffix, digitCount) = ([], [], nil)
    }

    /// - Parameter text: an e-mail address, a host name, an IP address or a distinguished name (`O=Org, CN=name`); one
    ///   `%d` or `%0Nd` takes the client's number.
    package init(_ text: String) {
        var pieces = (prefix: [UInt8](), suffix: [UInt8]())
        var digits: Int?
        var rest = Array(text.utf8)[...]
        while let octet = rest.popFirst() {
            guard octet == UInt8(ascii: "%"), digits == nil, let width = Self.readDigits(&rest) else {
                if digits == nil { pieces.prefix.append(octet) } else { pieces.suffix.append(octet) }
                continue
            }
            digits = width
        }
        digitCount = digits
        list = nil
        suffix = pieces.suffix
        if DistinguishedName.isOne(text) {
            type = .derASN1DN
            prefix = pieces.prefix
        } else if text.utf8.contains(UInt8(ascii: "@")) {
            type = .rfc822Address
            prefix = pieces.prefix
        } else if digits == nil, let address = IPAddress(text) {
            type = address.isIPv4 ? .ipv4Address : .ipv6Address
            prefix = (0..<address.byteCount).map { address.byte(at: $0) }
        } else {
            type = .fqdn
            prefix = pieces.prefix
        }
    }

    /// Whether the clients of the family have identities of their own.
    var isNumbered: Bool { digitCount != nil || list != nil }

    /// The identification data of client `number` (RFC 7296 section 3.5).
    package func octets(number: UInt32) -> [UInt8] {
        Array(body(number: number).dropFirst(4))
    }

    /// The body of an Identification payload: type, three reserved octets, data. AUTH covers it (section 2.15).
    func body(number: UInt32) -> [UInt8] {
        if let list { return list.body(number: number) }
        var body: [UInt8] = []
        body.reserveCapacity(4 + prefix.count + suffix.count + max(10, digitCount ?? 0))
        body.append(type.rawValue)
        for _ in 0..<3 { body.append(0) }
        append(number: number, to: &body)
        guard type == .derASN1DN else { return body }
        return body[..<4] + DistinguishedName.encode(String(decoding: body[4...], as: UTF8.self))
    }

    private func append(number: UInt32, to octets: inout [UInt8]) {
        octets.append(contentsOf: prefix)
        guard let digitCount else { return }
        let start = octets.count
        var rest = number
        repeat {
            octets.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        while octets.count - start < digitCount { octets.append(UInt8(ascii: "0")) }
        var (low, high) = (start, octets.count - 1)
        while low < high {
            octets.swapAt(low, high)
            low += 1
            high -= 1
        }
        octets.append(contentsOf: suffix)
    }

    /// `d` or `0Nd` behind a percent sign.
    private static func readDigits(_ rest: inout ArraySlice<UInt8>) -> Int? {
        var ahead = rest
        var width = 0
        while let octet = ahead.popFirst() {
            if octet == UInt8(ascii: "d") {
                rest = ahead
                return width
            }
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet), width < 100 else { return nil }
            width = width * 10 + Int(octet - UInt8(ascii: "0"))
        }
        return nil
    }
}

/// Identities one by one, each with a pre-shared key where there are such.
package final class IdentityList: Sendable {
    /// One line of the list.
    package struct Entry: Sendable {
        package var identity: String
        package var key: [UInt8]

        package init(identity: String, key: [UInt8]) {
            self.identity = identity
            self.key = key
        }
    }

    private let bodies: [[UInt8]]
    private let keys: [[UInt8]]
    /// The places of the bodies in ascending order of these.
    private let sorted: [UInt32]

    package init(_ entries: [Entry]) {
        precondition(!entries.isEmpty, "a list of identities has one at least")
        let bodies = entries.map { IdentityTemplate($0.identity).body(number: 0) }
        self.bodies = bodies
        keys = entries.map(\.key)
        sorted = (0..<UInt32(entries.count)).sorted {
            bodies[Int($0)].lexicographicallyPrecedes(bodies[Int($1)])
        }
    }

    package var count: Int { bodies.count }

    /// The body of the Identification payload of the client with this number; the first is 1.
    func body(number: UInt32) -> [UInt8] {
        bodies[Int(number &- 1) % bodies.count]
    }

    /// The key of an identity, or nil when the list does not have it.
    func key(of identification: RawSpan) -> [UInt8]? {
        let wanted = identification.copied()
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if bodies[Int(sorted[middle])].lexicographicallyPrecedes(wanted) { low = middle + 1 } else { high = middle }
        }
        guard low < sorted.count, bodies[Int(sorted[low])] == wanted else { return nil }
        return keys[Int(sorted[low])]
    }
}
