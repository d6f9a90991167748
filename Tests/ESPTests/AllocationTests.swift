import CAllocations
import ESP
import IKECrypto
import Testing

// Without optimization much is allocated that has no place in the source.
#if !DEBUG
    @Suite("Packets and memory")
    struct AllocationTests {
        @Test("a packet allocates nothing, sealed and opened by any library", arguments: Maker.all)
        func allocatesNothing(_ maker: Maker) throws {
            for algorithms in PacketAlgorithms.all {
                var both = try Direction(algorithms, mode: .transport, backend: maker.backend, packets: maker.packets)
                var buffer = [UInt8](repeating: 1, count: 1_600)
                var before: UInt64 = 0
                for number in 0..<1_000 {
                    // What a library computes with is made for the first packet.
                    if number == 8 { before = callocations_of_thread() }
                    let byteCount = 32 + number
                    var span = buffer.mutableSpan
                    // SAFETY: any octets are an integer.
                    var octets = unsafe span.mutableBytes
                    let sealed = try both.sender.seal(
                        &octets,
                        payloadByteCount: byteCount,
                        next: .icmp,
                        both.cryptography
                    )
                    var packet = octets._mutatingExtracting(first: sealed)
                    let received = try both.receiver.open(&packet, both.cryptography)
                    guard received.payload.count == byteCount else {
                        Issue.record("\(algorithms): \(received.payload.count) octets of \(byteCount)")
                        return
                    }
                }
                #expect(callocations_of_thread() == before, "\(algorithms)")
            }
        }

        @Test("what is asked of the allocator is counted")
        func isCounted() {
            let before = callocations_of_thread()
            let octets = [UInt8](repeating: 1, count: 5_000 + Int(before % 2))
            #expect(octets.count >= 5_000 && callocations_of_thread() > before)
        }
    }
#endif
