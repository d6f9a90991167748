import BasicContainers
import IKEv2
import Load
import Primitives

// The recording: each input before the client takes it, and what it led to behind it.
extension LiveWorker {
    mutating func record(_ local: Int, _ write: (inout InputRecorder, _ client: UInt32, _ now: Instant) -> Void) {
        guard var recorder = recorder.take() else { return }
        let values = clients[local].values
        recorder.introduce(local, population: values.population, clients[local].client.place)
        write(&recorder, values.index, turn.now)
        self.recorder = consume recorder
    }

    mutating func recordOutcome() {
        guard recorder != nil else { return }
        let digest = OutputDigest.of(turn.output)
        recording { recorder throws(LiveError) in try recorder.outcome(digest) }
    }

    /// Notes the IKE SAs of all clients that took any input.
    mutating func recordStates() {
        guard recorder != nil else { return }
        var states: [(client: UInt32, digest: UInt64)] = []
        for local in 0..<clients.count where clients[local].attemptsSeen > 0 {
            let client = clients[local].values.index
            states.append((client, OutputDigest.of(client, clients[local].client)))
        }
        states.sort { $0.client < $1.client }
        let digest = OutputDigest.of(states.map(\.digest))
        recording { recorder throws(LiveError) in try recorder.states(digest) }
    }

    mutating func recording(_ body: (inout InputRecorder) throws(LiveError) -> Void) {
        guard var taken = recorder.take() else { return }
        do throws(LiveError) {
            try body(&taken)
        } catch {
            shared.desks[number].report { $0.failure = $0.failure ?? error }
        }
        recorder = consume taken
    }
}
