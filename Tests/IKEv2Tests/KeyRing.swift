import IKECrypto
import IKEWire
import IKEv2
import Primitives

/// The keys of every IKE SA that was seen, by which a test reads what was sent.
struct KeyRing: ~Copyable {
    private(set) var entries: [Entry] = []

    final class Entry {
        let spis: IKESPIPair
        let suite: IKESuite
        let ei: SecretBytes
        let er: SecretBytes
        let ai: SecretBytes
        let ar: SecretBytes
        let pi: SecretBytes
        let pr: SecretBytes
        init(_ channel: borrowing Channel) {
            spis = channel.spis
            suite = channel.suite
            ei = channel.keys.ei.copy()
            er = channel.keys.er.copy()
            ai = channel.keys.ai.copy()
            ar = channel.keys.ar.copy()
            pi = channel.keys.pi.copy()
            pr = channel.keys.pr.copy()
        }
    }

    mutating func learn(_ sa: borrowing IKESA) {
        guard let spis = sa.spis, let entry = sa.withChannel({ Entry($0) }) else { return }
        // IKE_INTERMEDIATE gives an IKE SA other keys (RFC 9370 section 2.2.2).
        guard !entries.contains(where: { $0.spis == spis && $0.ei.isEqual(to: entry.ei) }) else { return }
        entries.append(entry)
    }

    /// All keys that an IKE SA has had.
    func entries(for header: Header) -> [Entry] {
        entries.filter { $0.spis.initiator == header.initiatorSPI && $0.spis.responder == header.responderSPI }
    }

    func entry(for header: Header) -> Entry? { entries(for: header).last }

    /// A message in the notation of RFC 7296: `HDR, SK {SA, Ni, TSi, TSr}`; further IKE SAs add a prime to their HDR.
    func notation(of message: [UInt8], _ turn: borrowing Turn) -> String {
        guard let decoder = try? MessageDecoder(message.rawSpan) else { return "garbage" }
        let header = decoder.header
        let notation = Notation(header)
        guard header.exchange != .ikeSAInit else {
            let start = Header.byteCount
            let names = notation.names(of: message, first: header.nextPayload, start..<message.count)
            return (["HDR"] + names).joined(separator: ", ")
        }
        var spis: [IKESPIPair] = []
        for entry in entries where !spis.contains(entry.spis) { spis.append(entry.spis) }
        let index = spis.firstIndex { $0 == entry(for: header)?.spis }
        let primes = String(repeating: "'", count: index ?? 0)
        guard let content = open(message, turn) else { return "HDR\(primes), SK {?}" }
        if let place = content.fragment { return "HDR\(primes), SKF(\(place.number)/\(place.total))" }
        let names = notation.names(of: content.octets, first: content.first, content.range)
        return "HDR\(primes), SK {\(names.joined(separator: ", "))}"
    }

    struct Content {
        let octets: [UInt8]
        let first: PayloadType
        let range: Range<Int>
        /// The content is a part of the payloads alone.
        var fragment: FragmentPlace?
    }

    /// The payloads inside of a protected message, or nil if it is none that the ring has keys for.
    func open(_ message: [UInt8], _ turn: borrowing Turn) -> Content? {
        guard let header = try? MessageDecoder(message.rawSpan).header else { return nil }
        for entry in entries(for: header) {
            if let content = open(message, by: entry, turn) { return content }
        }
        return nil
    }

    func open(_ message: [UInt8], by entry: Entry, _ turn: borrowing Turn) -> Content? {
        guard var decoder = try? MessageDecoder(message.rawSpan),
            let payload = try? decoder.payloads.next()
        else { return nil }
        var (offset, place) = (payload.bodyOffset, nil as FragmentPlace?)
        if payload.type == .encryptedFragment, let part = try? EncryptedFragment(payload) {
            offset = part.contentOffset
            place = FragmentPlace(number: Int(part.number), total: Int(part.total))
        } else if payload.type != .encrypted {
            return nil
        }
        let (suite, first) = (entry.suite, payload.nextType)
        let isFromInitiator = decoder.header.isFromInitiator
        var writer = ByteWriter()
        writer.write(message)
        let range: Range<Int>? = writer.withMutableBytes { octets in
            if isFromInitiator {
                try? turn.cryptography.open(
                    &octets,
                    bodyOffset: offset,
                    cipher: suite.cipher,
                    integrity: suite.integrity,
                    encryptionKey: entry.ei,
                    integrityKey: entry.ai
                )
            } else {
                try? turn.cryptography.open(
                    &octets,
                    bodyOffset: offset,
                    cipher: suite.cipher,
                    integrity: suite.integrity,
                    encryptionKey: entry.er,
                    integrityKey: entry.ar
                )
            }
        }
        guard let range else { return nil }
        let octets = writer.bytes
        let padding = Int(octets[range.upperBound - 1])
        let end = range.upperBound - 1 - padding
        return Content(octets: octets, first: first, range: range.lowerBound..<end, fragment: place)
    }
}

/// The names of payloads, which depend on the exchange and on who sends them.
private struct Notation {
    private let header: Header

    init(_ header: Header) { self.header = header }

    private var side: String { header.isResponse ? "r" : "i" }

    func names(of octets: [UInt8], first: PayloadType, _ range: Range<Int>) -> [String] {
        var names: [String] = []
        var payloads = PayloadSequence(first: first, bytes: octets.rawSpan.extracting(range))
        do {
            while let payload = try payloads.next() { names.append(name(payload)) }
        } catch {
            names.append("garbage")
        }
        return names
    }

    private func name(_ payload: borrowing RawPayload) -> String {
        switch payload.type {
        case .securityAssociation:
            switch header.exchange {
            case .ikeSAInit: "SA\(side)1"
            case .ikeAuth: "SA\(side)2"
            default: "SA"
            }
        case .keyExchange: "KE\(side)"
        case .nonce: "N\(side)"
        case .notify: name(of: try? Notify(payload.body))
        case .delete: name(of: try? Delete(payload.body))
        case .configuration: name(of: try? Configuration(payload.body))
        default: payload.type.description
        }
    }

    private func name(of notify: consuming Notify?) -> String {
        guard let notify else { return "N(garbage)" }
        return "N(\(notify.type.name ?? String(notify.type.rawValue)))"
    }

    private func name(of delete: consuming Delete?) -> String {
        guard let delete else { return "D(garbage)" }
        if delete.protocolID == .ike { return "D" }
        return delete.count == 1 ? "D(ESP)" : "D(ESP, \(delete.count))"
    }

    private func name(of configuration: consuming Configuration?) -> String {
        guard let configuration else { return "CP(garbage)" }
        return configuration.type == .request ? "CP(CFG_REQUEST)" : "CP(CFG_REPLY)"
    }
}
