import BasicContainers
import ESP
import IKECrypto
package import IKEWire
package import IKEv2
import Primitives
import Simulation

extension RunSinks {
    /// What decrypts the packets of one Child SA, both ways.
    package struct ChildKeys: Sendable {
        /// One way: the SPI that its packets carry, and the keys that they are sealed by.
        package struct Direction: Sendable {
            package var spi: ChildSPI
            /// That of an AEAD ends with its salt.
            package var encryption: [UInt8]
            package var integrity: [UInt8]
        }

        package var cipher: EncryptionID
        package var integrity: IntegrityID
        package var usesESN: Bool
        package var directions: [Direction]

        package init(_ child: borrowing ChildSA) {
            cipher = EncryptionID(rawValue: child.suite.encryptionID)
            integrity = IntegrityID(rawValue: child.suite.integrity?.rawValue ?? 0)
            usesESN = child.suite.usesESN
            let initiator = Direction(
                spi: child.isExchangeInitiator ? child.outbound : child.inbound,
                encryption: child.keys.initiatorEncryption.bytes.copied(),
                integrity: child.keys.initiatorIntegrity.bytes.copied()
            )
            let responder = Direction(
                spi: child.isExchangeInitiator ? child.inbound : child.outbound,
                encryption: child.keys.responderEncryption.bytes.copied(),
                integrity: child.keys.responderIntegrity.bytes.copied()
            )
            directions = [initiator, responder]
        }
    }
}

/// The keys of one Child SA, for Wireshark's tables.
struct CapturedChildKeys: Sendable {
    var client: UInt32
    /// The client's own count of what is kept: the same order for every partition.
    var count: UInt64
    var time: Instant
    var keys: RunSinks.ChildKeys
}

extension RunSinks {
    func write(_ captured: inout [CapturedChildKeys]) {
        guard let childKeys else { return }
        captured.sort { ($0.time, $0.client, $0.count) < ($1.time, $1.client, $1.count) }
        for entry in captured { childKeys(entry.keys) }
    }
}

extension TunnelEnd {
    /// The keys of the Child SAs that `follow` would take over now.
    func newKeys(_ sas: (_ body: (borrowing ChildSA) -> Void) -> Void) -> [RunSinks.ChildKeys] {
        var found: [RunSinks.ChildKeys] = []
        sas { child in
            if !database.contains(child.inbound) { found.append(RunSinks.ChildKeys(child)) }
        }
        return found
    }
}

extension ClientShard {
    /// Keeps what either end has: one whose peer never had it may have sent packets all the same.
    mutating func keep(_ local: Int, _ keys: [RunSinks.ChildKeys]) {
        for keys in keys {
            clients[local].journaled += 1
            journal.childKeys.append(
                CapturedChildKeys(
                    client: plan.partition.entity(at: UInt32(local), of: index),
                    count: clients[local].journaled,
                    time: turn.now,
                    keys: keys
                )
            )
        }
    }
}
