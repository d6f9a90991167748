import Runner

/// Takes any octets as a recording of a live run: the head of `run.head` in front of its workload, and a worker's
/// inputs.
///
/// What is read is fed to the clients, twice: once up to the first input of which something else comes than was
/// recorded, and once beyond.
package func fuzzRecording(_ input: [UInt8]) {
    guard input.count >= headByteCount, let run = unsafe recording(Array(input.prefix(headByteCount))) else { return }
    let inputs = Array(input.dropFirst(headByteCount))
    let (first, whole) = (try? run.replay(inputs), try? run.replay(inputs, goesOn: true))
    if let divergence = first?.divergence {
        precondition(whole.map { $0.divergence == divergence } ?? true, "the same input is the first that differs")
    } else {
        precondition(whole == first, "what does not part from its recording goes to its end")
    }
}

/// The recording of a head. Most inputs have that of the input before them, and a workload takes long to be read.
@unsafe
private func recording(_ head: [UInt8]) -> RecordedRun? {
    if unsafe head != last.head { unsafe last = (head, try? RecordedRun(head: head + Array(workload.utf8))) }
    return unsafe last.run
}

// SAFETY: a target is called on one thread.
nonisolated(unsafe) private var last: (head: [UInt8], run: RecordedRun?) = ([], nil)

private let headByteCount = 58

/// What the recordings of the corpus were made with.
private let workload = """
    version: 1
    name: recorded
    seed: 7
    gateways:
      gw:
        identity: gw.example.org
        policy:
          authentication: { psk: test-only }
          proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
          pool: [10.128.0.0/10]
          mobike: true
        real: { addresses: [127.0.0.1, "::1"] }
    profiles:
      laptop:
        identity: "user%05d@example.org"
        authentication: { psk: test-only }
        proposals: { ike: [aes128gcm16-prfsha256-x25519], child: [aes128gcm16-x25519] }
        lifetimes: { ike: { rekey: 3s, jitter: 0%, over: 20s }, child: { rekey: 2s, jitter: 0%, over: 20s } }
        traffic-selectors: { local: [dynamic], remote: [10.0.0.0/8] }
        mobike: true
    paths:
      home: { one-way-delay: 1ms }
    populations:
      laptops: { count: 2, profile: laptop, path: home, gateway: gw, sources: [198.18.0.0/15] }
    arrivals:
      morning: { population: laptops, constant: { rate: 2/s } }
    faults:
      leave: { kind: move, at: 1500ms, population: laptops, to: home, sources: ["2001:db8:7::/64"] }
    run: { duration: 5s }

    """
