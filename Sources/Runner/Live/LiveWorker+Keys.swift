import BasicContainers
import IKEWire
import IKEv2
import Load
import Primitives

// The journal of live keys: always ahead of what the gateway has heard.
extension LiveWorker {
    /// Keeps the keys of an IKE SA before IKE_AUTH is sent under them, and wipes them when it is gone.
    mutating func noteKeys(_ local: Int, _ report: Report) {
        if let spis = report.newKeys { keep(local, spis) }
        switch report {
        case .established(let spis): keep(local, spis)
        case .closed(let spis, _): journalling { keys throws(LiveError) in try keys.forget(spis) }
        default: break
        }
    }

    /// Keeps from where and whereto a client's IKE SAs go once it has moved.
    mutating func noteMove(_ local: Int) {
        guard keys != nil else { return }
        var moved: [IKESPIPair] = []
        clients[local].client.forEachSA { sa in if let spis = sa.spis { moved.append(spis) } }
        for spis in moved where keys?.holds(spis) == true { keep(local, spis) }
    }

    private mutating func keep(_ local: Int, _ spis: IKESPIPair) {
        guard let exported = clients[local].client.withChannel(of: spis, { $0.exportedKeys }) else { return }
        let source = UDPEndpoint(address: clients[local].values.source, port: exported.path.local.port)
        journalling { keys throws(LiveError) in try keys.keep(exported, source: source) }
    }

    /// Notes a request's message ID, which is in clear in the header, before the request leaves.
    mutating func noteRequest(_ local: Int, _ datagram: Output.Datagram) {
        guard !datagram.note.isResponse, !datagram.note.isRetransmission, datagram.note.beginsMessage,
            datagram.note.operation != .natKeepalive
        else { return }
        let start = datagram.range.lowerBound + (datagram.path.isEncapsulated ? 4 : 0)
        let message = turn.output.octets[start..<datagram.range.upperBound]
        var reader = unsafe ByteReader(message.span.bytes)
        guard let header = try? Header.decode(from: &reader), header.exchange != .ikeSAInit else { return }
        let spis = IKESPIPair(initiator: header.initiatorSPI, responder: header.responderSPI)
        journalling { keys throws(LiveError) in try keys.advance(spis, to: header.messageID.next) }
    }

    private mutating func journalling(_ body: (inout KeyJournal) throws(LiveError) -> Void) {
        guard var journal = keys.take() else { return }
        do throws(LiveError) {
            try body(&journal)
        } catch {
            // A run that could not be cleaned up after is one that ends now.
            shared.desks[number].report { $0.failure = $0.failure ?? error }
        }
        keys = consume journal
    }
}
