import BasicContainers
import IKECrypto
import IKEWire
import IKEv2
import Primitives
import UDPTransport
import Workload

/// Deletes the IKE SAs that a live run left behind, with the keys that its journal holds.
package struct Cleanup {
    private let folder: LiveFolder
    private let allowanceFile: String

    /// - Parameters:
    ///   - folder: the run's folder.
    ///   - allowanceFile: the machine-wide allowance, which only tests move elsewhere.
    package init(folder: String, allowanceFile: String = LiveOptions().allowanceFile) {
        self.folder = LiveFolder(folder)
        self.allowanceFile = allowanceFile
    }

    package struct Outcome: Hashable, Sendable {
        /// IKE SAs whose keys were in the journal.
        package var found = 0
        /// Those whose Delete the gateway has answered; their keys are wiped.
        package var deleted = 0
        /// Those whose Delete had no answer from a gateway that does answer: it does not know them any more. Their keys
        /// are wiped.
        package var forgotten = 0
        /// Those of a gateway that does not answer at all.
        package var unanswered = 0
    }

    /// Sends a Delete for each, some times over, and waits for the answers; then asks whether the silent gateways are
    /// there.
    ///
    /// - Throws: `LiveError` when the run still goes on, or its targets are not allowed.
    package func run() throws(LiveError) -> Outcome {
        guard folder.isOfARun else {
            throw .system(
                "\(folder.path) is not the folder of a run: there is no workload.yaml in it, and there are no keys"
            )
        }
        guard !folder.isRunning else {
            throw .system("\(folder.path) is of a run that is going on: stop it with `ikestorm abort` first")
        }
        var orphans: [Orphan] = []
        for journal in folder.journals() {
            for entry in try KeyJournal.read(journal) {
                orphans.append(Orphan(journal: journal, slot: entry.slot, sa: entry.sa))
            }
        }
        var outcome = Outcome(found: orphans.count)
        if !orphans.isEmpty {
            let targets = Set(orphans.map(\.deletion.keys.path.remote.address))
            try check(targets)
            var sweep = try Sweep(orphans)
            try sweep.run(&outcome)
        }
        folder.removeEmptyJournals()
        return outcome
    }

    /// The run was allowed to send there when it went on; the machine-wide file may have changed since.
    private func check(_ targets: Set<IPAddress>) throws(LiveError) {
        guard let machine = try LiveAllowance.machineWide(allowanceFile) else { return }
        let problems = targets.sorted().filter { target in
            !LiveTarget(address: target).isLoopback && !machine.allowTargets.contains { $0.contains(target) }
        }
        guard problems.isEmpty else {
            throw .notAllowed(problems.map { "\(allowanceFile) does not allow the target \($0)" })
        }
    }
}

/// An IKE SA that its run has left behind.
private struct Orphan: Sendable {
    let journal: String
    let slot: Int
    let source: UDPEndpoint
    var deletion: OrphanDeletion
    /// The message IDs that its Deletes carry, in the order of the tries.
    let ids: [MessageID]
    var isDeleted = false

    var gateway: UDPEndpoint { deletion.keys.path.remote }

    init(journal: String, slot: Int, sa: JournaledSA) {
        self.journal = journal
        self.slot = slot
        source = sa.source
        deletion = OrphanDeletion(sa.keys)
        // The gateway waits for the next message ID, or for the one before it if that request was lost.
        let next = sa.keys.nextRequest
        let last = MessageID(rawValue: next.rawValue &- 1)
        ids = next.rawValue > 1 ? [next, next, last, next] : [next, next, next, next]
    }
}

/// One round of Deletes for the orphans.
private struct Sweep: ~Copyable {
    private var orphans: [Orphan]
    private var byName: [IKESPIPair: Int] = [:]
    private var wire: WorkerSockets
    private var turn: Turn
    private let clock = MonotonicClock()
    /// How many of them have not been deleted.
    private var remaining: Int
    /// The gateways that have answered anything.
    private var heard: Set<UDPEndpoint> = []

    init(_ orphans: [Orphan]) throws(LiveError) {
        let allowance = Allowance(
            orphans.map { orphan in
                let address = orphan.deletion.keys.path.remote.address
                return IPPrefix(address: address, length: address.byteCount * 8)
            }
        )
        let wire: WorkerSockets
        do throws(SocketError) {
            wire = try WorkerSockets(allowance: allowance, wantsWellKnownPorts: true)
        } catch {
            throw .system("no sockets for the clean-up: \(SystemError.text(error.number))")
        }
        let cryptography: Cryptography
        do throws(CryptoError) {
            cryptography = try Cryptography(backend: .openSSL, seed: LiveSecrets.drawn().material.rawSpan)
        } catch {
            throw .system("libcrypto does not offer what the clean-up needs: \(error)")
        }
        self.orphans = orphans
        self.wire = wire
        remaining = orphans.count
        turn = Turn(cryptography: cryptography)
        for (index, orphan) in orphans.enumerated() {
            let spis = orphan.deletion.keys.spis
            byName[spis] = index
            byName[IKESPIPair(initiator: spis.initiator, responder: .zero)] = index
        }
    }

    /// Sends all tries, adds up what became of the orphans, and wipes the keys of those that are gone.
    mutating func run(_ outcome: inout Cleanup.Outcome) throws(LiveError) {
        do throws(SocketError) {
            for round in 0..<4 {
                for index in orphans.indices where !orphans[index].isDeleted {
                    turn.now = clock.now
                    orphans[index].deletion.send(orphans[index].ids[round], &turn)
                    try send(index)
                    // A gateway gets a few at a time.
                    if index % 16 == 15 { try receive(until: clock.now + .milliseconds(10)) }
                }
                let patience = clock.now + .seconds(1)
                while remaining > 0, clock.now < patience { try receive(until: patience) }
            }
            for _ in 0..<3 where !silent.isEmpty { try probe() }
        } catch {
            throw .system("the clean-up cannot go on: \(SystemError.text(error.number))")
        }
        for orphan in orphans {
            guard orphan.isDeleted || heard.contains(orphan.gateway) else {
                outcome.unanswered += 1
                continue
            }
            if orphan.isDeleted { outcome.deleted += 1 } else { outcome.forgotten += 1 }
            try KeyJournal.wipe(slot: orphan.slot, of: orphan.journal)
        }
    }

    /// The gateways that have not answered anything.
    private var silent: Set<UDPEndpoint> { Set(orphans.map(\.gateway)).subtracting(heard) }

    /// Asks the silent gateways whether they are there.
    private mutating func probe() throws(SocketError) {
        var asked = heard
        for index in orphans.indices where asked.insert(orphans[index].gateway).inserted {
            orphans[index].deletion.sendProbe(&turn)
            try send(index)
        }
        let patience = clock.now + .seconds(1)
        while !silent.isEmpty, clock.now < patience { try receive(until: patience) }
    }

    /// Sends what the turn holds for an orphan.
    private mutating func send(_ index: Int) throws(SocketError) {
        let path = orphans[index].deletion.keys.path
        let isIPv4 = path.remote.address.isIPv4
        let socket = try wire.number(group: 0, slot: path.isEncapsulated ? 1 : 0, isIPv4: isIPv4)
        let octets = turn.output.octets[...]
        unsafe wire.send(octets.span.bytes, on: socket, from: orphans[index].source.address, to: path.remote)
        turn.output.removeAll()
    }

    private mutating func receive(until limit: Instant) throws(SocketError) {
        wire.flush()
        var batch = try ReceiveBatch()
        let readyCount = try wire.loop.wait(until: limit, clock: clock)
        for ready in 0..<readyCount {
            let event = wire.loop[ready]
            if event.readiness.contains(.failed) { _ = wire.takeErrors(ofSocket: event.token) }
            guard event.readiness.contains(.readable) else { continue }
            let count = try wire.receive(fromSocket: event.token, into: &batch, clock: clock)
            for index in 0..<count { take(batch.bytes(at: index)) }
        }
    }

    private mutating func take(_ octets: RawSpan) {
        for start in [0, 4] where octets.byteCount > start + Header.byteCount {
            let message = octets.extracting(start..<octets.byteCount)
            var reader = ByteReader(message)
            guard let header = try? Header.decode(from: &reader) else { continue }
            let spis = IKESPIPair(initiator: header.initiatorSPI, responder: header.responderSPI)
            guard let index = byName[spis], orphans[index].deletion.isHeard(by: header) else { continue }
            heard.insert(orphans[index].gateway)
            guard !orphans[index].isDeleted,
                orphans[index].deletion.isAnswered(by: message, orphans[index].ids, turn)
            else { continue }
            orphans[index].isDeleted = true
            remaining -= 1
        }
    }
}
