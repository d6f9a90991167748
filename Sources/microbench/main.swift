// `microbench` runs every benchmark; `microbench NAME ...` those whose names begin so. `microbench count` is for
// scripts/bench-gate.

let benchmarks: [(name: String, run: () -> Void)] = [
    ("events", benchmarkEventQueue),
    ("simulation", benchmarkSimulation),
    ("barriers", benchmarkBarriers),
    ("udp", benchmarkUDP),
    ("wire", benchmarkWire),
    ("crypto", benchmarkCrypto),
    ("crypto-handshake", benchmarkHandshakeCrypto),
    ("batches", benchmarkBatches),
    ("esp", benchmarkESP),
    ("gateway", benchmarkGateway),
    ("handshake", benchmarkHandshake),
    ("live", benchmarkLive),
    ("live-esp", benchmarkLiveESP),
]

let wanted = CommandLine.arguments.dropFirst()
if wanted.first == "count" {
    countOperation(wanted.dropFirst())
} else {
    for benchmark in benchmarks where wanted.isEmpty || wanted.contains(where: { benchmark.name.hasPrefix($0) }) {
        benchmark.run()
    }
}
