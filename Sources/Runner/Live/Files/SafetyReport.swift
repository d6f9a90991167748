import Foundation

/// `safety.json`: every address, inner prefix and identity that a live run touched, with counts.
struct SafetyReport: Encodable {
    struct Address: Encodable {
        var address: String
        var datagramsSent: UInt64
        var octetsSent: UInt64
        var datagramsReceived: UInt64
        var octetsReceived: UInt64

        init(_ address: LiveTouch.Address) {
            self.address = "\(address.address)"
            datagramsSent = address.sent
            octetsSent = address.sentByteCount
            datagramsReceived = address.received
            octetsReceived = address.receivedByteCount
        }
    }

    struct Inner: Encodable {
        var prefix: String
        var clients: UInt64
    }

    struct Identity: Encodable {
        var identity: String
        var attempts: UInt64
    }

    var schema = 1
    var targets: [Address]
    var sources: [Address]
    var inner: [Inner]
    var identities: [Identity]
    /// What the sockets' allowance kept in.
    var refusedDatagrams: UInt64
    var strayDatagrams: UInt64
    /// Clients whose IKE SA was not deleted when the run ended.
    var leftBehind: Int
    var unansweredDeletes: Int

    init(_ result: LiveResult) {
        let touched = result.touched
        targets = touched.targets.map { Address($0) }
        sources = touched.sources.map { Address($0) }
        inner = touched.inner.map { Inner(prefix: "\($0.prefix)", clients: $0.clients) }
        identities = touched.identities.map { Identity(identity: $0.identity, attempts: $0.attempts) }
        refusedDatagrams = touched.refused
        strayDatagrams = touched.strays
        leftBehind = result.leftBehind
        unansweredDeletes = result.unanswered
    }

    /// Writes the report aside and puts it in its place, so that it appears whole or not at all.
    func write(to path: String) throws(LiveError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            try encoder.encode(self).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw .cannotWrite("\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}
