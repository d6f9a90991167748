import IKEWire
import Primitives

/// How things are called in the explanations.
enum Words {
    static func identity(_ identity: Identity?) -> String {
        guard let identity else { return "nobody" }
        return "\(identity.text) (\(identity.type))"
    }

    static func proof(_ method: AuthenticationMethod?) -> String {
        switch method {
        case .sharedKey: "with a shared key"
        case .null: "without a proof (NULL)"
        case .none: "by EAP"
        default: "with a signature"
        }
    }

    static func count(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    static func times(_ count: Int) -> String {
        switch count {
        case 1: "once"
        case 2: "twice"
        default: "\(count) times"
        }
    }

    /// `4.0 s`, to the tenth.
    static func time(_ nanoseconds: UInt64) -> String {
        let tenths = (nanoseconds + 50_000_000) / 100_000_000
        return "\(tenths / 10).\(tenths % 10) s"
    }

    /// - Parameter most: how many are named; the rest are others.
    static func list(_ items: [String], most: Int = .max) -> String {
        guard items.count <= most else { return items.prefix(most).joined(separator: ", ") + " and others" }
        guard let last = items.last else { return "nothing" }
        return items.count == 1 ? last : items.dropLast().joined(separator: ", ") + " and " + last
    }

    static func proposals(_ proposals: [Proposal]) -> String {
        let texts = proposals.map(\.notation)
        guard texts.count > 1 else { return texts.first ?? "nothing" }
        return texts.joined(separator: ", or ")
    }

    static func selectors(_ selectors: [TrafficSelector]) -> String {
        selectors.isEmpty ? "nothing" : list(selectors.map(selector))
    }

    private static func selector(_ selector: TrafficSelector) -> String {
        var text: String
        if selector.startAddress == selector.endAddress {
            text = selector.startAddress.description
        } else if let prefix = prefix(selector.startAddress, selector.endAddress) {
            text = prefix
        } else {
            text = "\(selector.startAddress)-\(selector.endAddress)"
        }
        if selector.ipProtocol != 0 { text += ", protocol \(selector.ipProtocol)" }
        switch (selector.startPort, selector.endPort) {
        case (0, 65_535): break
        case (65_535, 0): text += ", opaque ports"
        case (let from, let through): text += from == through ? ", port \(from)" : ", ports \(from)-\(through)"
        }
        return text
    }

    /// `10.0.0.0/8`, where a range of addresses is a block.
    private static func prefix(_ start: IPAddress, _ end: IPAddress) -> String? {
        let (high, low) = (start.high ^ end.high, start.low ^ end.low)
        let hostBits = high == 0 ? 64 - low.leadingZeroBitCount : 128 - high.leadingZeroBitCount
        let lowMask = hostBits >= 64 ? UInt64.max : (UInt64(1) << UInt64(hostBits)) - 1
        let highMask = hostBits <= 64 ? 0 : hostBits == 128 ? UInt64.max : (UInt64(1) << UInt64(hostBits - 64)) - 1
        let isBlock =
            start.low & lowMask == 0 && end.low & lowMask == lowMask && start.high & highMask == 0
            && end.high & highMask == highMask
        // All of IPv4 differs in the bits of IPv4 alone.
        guard isBlock, hostBits <= start.byteCount * 8 else { return nil }
        return "\(start)/\(start.byteCount * 8 - hostBits)"
    }
}
