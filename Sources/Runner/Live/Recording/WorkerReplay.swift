import BasicContainers
import IKECrypto
import IKEWire
import IKEv2
import Load
import Primitives
import Workload

/// The clients of one worker of a recorded run, alive again.
struct WorkerReplay: ~Copyable {
    var outcome = RecordedRun.Outcome()
    private let head: RecordingHead
    private let workload: Workload
    private let sinks: RunSinks
    private let plans: [ClientPlan]
    private let plansAfter: [ClientPlan?]
    /// What each client goes by.
    private var clientPlans: [ClientPlan] = []
    private var clients = UniqueArray<Client>()
    /// By the client's place among all clients of the run.
    private var places: [UInt32: Int] = [:]
    private var turn: Turn
    private var tally = ClientTally()
    /// The input whose outcome comes next in the recording, in words.
    private var current = "the beginning"
    private var digest: UInt64 = 0
    /// The client that took the last input.
    private var place = 0

    init(_ head: RecordingHead, _ workload: Workload, sinks: RunSinks) throws(LiveError) {
        let cryptography: Cryptography
        do throws(CryptoError) {
            cryptography = try Cryptography(backend: .openSSL, seed: head.secrets.material.rawSpan)
        } catch {
            throw .system("libcrypto does not offer what the recording needs: \(error)")
        }
        self.head = head
        self.workload = workload
        self.sinks = sinks
        let material = AuthenticationMaterial(prepared: workload)
        plans = ClientPlan.all(of: workload, material, seed: head.secrets.chance(seed: head.seed))
        plansAfter = ClientPlan.afterRollovers(of: workload, material, plans)
        turn = Turn(cryptography: cryptography)
    }

    func readHead(_ reader: inout ByteReader) throws(DecodeError) {
        guard try reader.readInteger(as: UInt32.self) == RecordedInput.magic,
            try reader.readInteger(as: UInt16.self) == RecordedInput.version
        else { throw .malformed(.unsupportedFormat) }
    }

    /// Takes the next entries, up to the hash that vouches for them.
    mutating func step(_ reader: inout ByteReader) throws(DecodeError) {
        var entries = reader
        while true {
            let start = reader.offset
            guard try take(&reader) else { continue }
            let octets = try entries.read(start - entries.offset)
            let recorded: UInt64 = try reader.readInteger()
            if OutputDigest.of([OutputDigest.of(octets: octets), digest]) != recorded {
                outcome.divergence = outcome.divergence ?? current
            }
            return
        }
    }

    /// Takes one entry; true for one that vouches for those before it.
    private mutating func take(_ reader: inout ByteReader) throws(DecodeError) -> Bool {
        guard let kind = RecordedInput.Kind(rawValue: try reader.readInteger()) else {
            throw .malformed(.unsupportedFormat)
        }
        switch kind {
        case .client: try meet(&reader)
        case .arrive, .leave, .advance, .receive, .receiveESP, .traffic, .volume, .move: try feed(kind, &reader)
        case .rollover: try rollOver(&reader)
        case .outcome:
            takeOutcome()
            return true
        case .states:
            takeStates()
            return true
        }
        return false
    }

    private mutating func meet(_ reader: inout ByteReader) throws(DecodeError) {
        let record = try RecordedInput.ClientRecord(&reader, spiKey: head.secrets.spiKey)
        guard Int(record.population) < plans.count, places[record.place.index] == nil else {
            throw .malformed(.unsupportedFormat)
        }
        let population = workload.populations[Int(record.population)]
        guard (0..<population.count).contains(Int(record.place.number) - population.firstIdentity) else {
            throw .malformed(.unsupportedFormat)
        }
        places[record.place.index] = clients.count
        clientPlans.append(plans[Int(record.population)])
        clients.append(Client(record.place))
        outcome.clients += 1
    }

    private mutating func rollOver(_ reader: inout ByteReader) throws(DecodeError) {
        let number: UInt32 = try reader.readInteger()
        _ = try reader.readInteger(as: UInt64.self)
        let fault = Int(try reader.readInteger(as: UInt32.self))
        guard let place = places[number], fault < plansAfter.count, let plan = plansAfter[fault] else {
            throw .malformed(.unsupportedFormat)
        }
        clientPlans[place] = plan
    }

    private mutating func feed(_ kind: RecordedInput.Kind, _ reader: inout ByteReader) throws(DecodeError) {
        let number: UInt32 = try reader.readInteger()
        let now = Instant(nanoseconds: try reader.readInteger())
        guard let place = places[number], now >= turn.now, now <= Self.latest else {
            throw .malformed(.unsupportedFormat)
        }
        let plan = clientPlans[place]
        turn.now = now
        outcome.inputs += 1
        switch kind {
        case .arrive:
            let intended = Instant(nanoseconds: try reader.readInteger())
            let departure = Instant(nanoseconds: try reader.readInteger())
            guard intended <= now else { throw .malformed(.unsupportedFormat) }
            clients[place].arrive(intended: intended, leaving: departure, plan: plan, &turn, &tally)
        case .leave: clients[place].leave(plan: plan, &turn, &tally)
        case .advance: clients[place].advance(plan: plan, &turn, &tally)
        case .move:
            let (plain, encapsulated) = (try RecordedInput.path(&reader), try RecordedInput.path(&reader))
            guard Route.areAlike(plain, encapsulated) else { throw .malformed(.unsupportedFormat) }
            let route = Route(plain: plain, encapsulated: encapsulated)
            clients[place].move(to: route, plan: plan, &turn, &tally)
        case .traffic:
            let heardAt = Instant(nanoseconds: try reader.readInteger())
            let sentAt = Instant(nanoseconds: try reader.readInteger())
            clients[place].noteTraffic(heardAt: heardAt, sentAt: sentAt)
        case .volume:
            clients[place].endVolume(of: ChildSPI(rawValue: try reader.readInteger()), at: turn.now)
        case .receiveESP:
            let path = try RecordedInput.path(&reader)
            let spi = ChildSPI(rawValue: try reader.readInteger())
            clients[place].receiveESP(spi, over: path, plan: plan, &turn, &tally)
        default:
            let path = try RecordedInput.path(&reader)
            let byteCount: UInt16 = try reader.readInteger()
            let message = try reader.read(Int(byteCount))
            show(message, over: path)
            clients[place].receive(message, over: path, plan: plan, &turn, &tally)
        }
        while let request = turn.output.keyExchange.take() {
            let result = turn.cryptography.perform(request)
            clients[place].complete(result, plan: plan, &turn, &tally)
        }
        tally.removeAll()
        self.place = place
        current = "client \(number) at \(now), input \(outcome.inputs) (\(kind))"
    }

    /// No run lasts so long; what follows a moment before it by a duration is a moment as well.
    private static var latest: Instant { Instant(nanoseconds: 1 << 60) }

    /// What the last input led to.
    private mutating func takeOutcome() {
        outcome.datagrams += UInt64(turn.output.datagrams.count)
        digest = OutputDigest.of(turn.output)
        showOutput()
        turn.output.removeAll()
    }

    /// Hands on what the last input led to, as the live run would have.
    private func showOutput() {
        for report in turn.output.reports {
            if report.isLifeCycle { sinks.event?(RunSinks.Event(turn.now, clients[place].place.index, report)) }
            guard let keys = sinks.keys, let wanted = report.newKeys else { continue }
            if let found = clients[place].withChannel(of: wanted, { RunSinks.Keys($0) }) { keys(found) }
        }
        guard let packet = sinks.packet else { return }
        for datagram in turn.output.datagrams {
            packet(
                RunSinks.Packet(
                    time: turn.now,
                    source: datagram.path.local,
                    destination: datagram.path.remote,
                    octets: Array(turn.output.octets[datagram.range])
                )
            )
        }
    }

    /// Hands a message on with the marker that it came behind.
    private func show(_ message: RawSpan, over path: Path) {
        guard let packet = sinks.packet else { return }
        let marker: [UInt8] = path.isEncapsulated ? [0, 0, 0, 0] : []
        packet(
            RunSinks.Packet(
                time: turn.now,
                source: path.remote,
                destination: path.local,
                octets: marker + message.copied()
            )
        )
    }

    /// The IKE SAs of all clients.
    private mutating func takeStates() {
        outcome.comparisons += 1
        current = "the IKE SAs at \(turn.now)"
        var states: [UInt64] = []
        for (index, place) in places.sorted(by: { $0.key < $1.key }) {
            states.append(OutputDigest.of(index, clients[place]))
        }
        digest = OutputDigest.of(states)
    }
}

extension OutputDigest {
    /// A hash over one client's IKE SAs.
    static func of(_ index: UInt32, _ client: borrowing Client) -> UInt64 {
        var words: [UInt64] = [UInt64(index), UInt64(client.attempt), client.isUp ? 1 : 0]
        client.forEachSA { sa in
            guard let spis = sa.spis else { return }
            words += [spis.initiator.rawValue, spis.responder.rawValue, StableName.hash(of: sa.stateName.rawValue)]
            for child in sa.activeChildren {
                words.append(UInt64(child.inbound.rawValue) << 32 | UInt64(child.outbound.rawValue))
            }
        }
        return of(words)
    }
}
