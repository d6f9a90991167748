import Capture
import Foundation
import IKEWire
import Inspection
import Primitives

/// The keys of IKE SAs with AES-GCM that charon logged (`SAVE_KEYS`), in the order in which it derived them.
struct CharonKeys {
    private var pairs: [(ei: [UInt8], er: [UInt8])] = []

    init(log: String) throws {
        var name: Substring?
        var octets: [UInt8] = []
        for line in log.split(separator: "\n") {
            if let match = line.firstMatch(of: #/\[IKE\] <[^>]*> Sk_(e[ir]) secret => \d+ bytes/#) {
                take(name, octets)
                (name, octets) = (match.1, [])
            } else if name != nil, let match = line.firstMatch(of: #/\[IKE\] <[^>]*> +\d+: ((?:[0-9A-F]{2} )+)/#) {
                octets += try Hexadecimal.decode(match.1)
            } else {
                take(name, octets)
                name = nil
            }
        }
    }

    private mutating func take(_ name: Substring?, _ octets: [UInt8]) {
        switch name {
        case "ei": pairs.append((ei: octets, er: []))
        case "er": pairs[pairs.count - 1].er = octets
        default: break
        }
    }

    /// Wireshark's table. Keys are derived when IKE_AUTH comes, and the capture says in which IKE SAs it came.
    func table(for capture: [UInt8]) throws -> String {
        var inspector = try Inspector()
        var stream = CaptureStream()
        stream.append(capture)
        while let frame = try stream.next() { inspector.take(frame) }
        let negotiations = inspector.report().negotiations.filter { negotiation in
            negotiation.timeline.first.contains { entry in
                if case .message(let message) = entry.event { message.exchange == .ikeAuth } else { false }
            }
        }
        var writer = ByteWriter()
        for (negotiation, pair) in zip(negotiations, pairs) {
            KeyLog.writeIKESA(
                initiatorSPI: negotiation.initiatorSPI,
                responderSPI: negotiation.responderSPI,
                encryption: .aesGCM16,
                keyLength: UInt16(pair.ei.count - 4) * 8,
                integrity: .none,
                encryptionKeys: (pair.ei, pair.er),
                integrityKeys: ([], []),
                into: &writer
            )
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
