import Glibc
import IKECrypto
import IKEWire
import IKEv2
import Primitives

/// Whole handshakes, rekeys and liveness checks with both ends in memory: what the machines and their crypto cost.
func benchmarkHandshake() {
    for (name, backend, count) in [("modelled", CryptoBackend.modelled, 20_000), ("openssl", .openSSL, 2_000)] {
        var pair = EndpointPair(backend: backend)
        let handshake = pair.measure(count) { pair, number in
            pair.handshake(number)
        }
        printFigure("handshake, both ends, \(name)", handshake / 1000, "us")
        printFigure("handshake, both ends, \(name)", 1e9 / handshake, "/s/core")
        for (exchange, command) in [
            ("IKE rekey", IKESA.Command.rekeyIKE), ("Child rekey", .rekeyChildren), ("liveness", .checkLiveness),
        ] {
            pair.handshake(0)
            let cost = pair.measure(count) { pair, _ in pair.exchange(command) }
            printFigure("\(exchange), both ends, \(name)", cost / 1000, "us")
        }
    }
    printMemory()
}

/// What an established tunnel takes at both ends, its own heap blocks included.
private func printMemory() {
    printFigure("IKESA, inline", Double(MemoryLayout<IKESA>.size), "B")
    printFigure("Child SA, inline", Double(MemoryLayout<ChildSA>.stride), "B")
    var pair = EndpointPair(backend: .modelled)
    var kept: [KeptPair] = []
    let count = 20_000
    kept.reserveCapacity(count)
    pair.handshake(0)
    let before = residentByteCount()
    for number in 1...UInt32(count) {
        pair.handshake(number)
        kept.append(pair.keep())
    }
    let after = residentByteCount()
    printFigure("established tunnel, both ends", Double(after - before) / Double(count), "B")
    precondition(kept.count == count, "the ends live until they are measured")
}

private func residentByteCount() -> Int {
    guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
    defer { unsafe fclose(file) }
    var pages: (Int, Int) = (0, 0)
    unsafe withUnsafeMutablePointer(to: &pages.0) { total in
        unsafe withUnsafeMutablePointer(to: &pages.1) { resident in
            _ = unsafe withVaList([total, resident]) { unsafe vfscanf(file, "%ld %ld", $0) }
        }
    }
    return pages.1 * 4096
}
