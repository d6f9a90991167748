import Gateway
import IKEv2
import Primitives
import Testing

@Suite("A gateway's address pool")
struct LeaseTests {
    @Test("IKE_AUTH gets the lowest free address when it starts, without the prefix's first and last")
    func lowestFirst() {
        var desk = DeskUnderTest { $0.pool = [IPPrefix("10.0.0.0/29")!] }
        for client in 1...4 as ClosedRange<UInt32> {
            desk.report(0, client, .halfOpened)
            desk.request(Int64(client), client, .ikeAuth, 1)
        }
        desk.report(900, 2, .ended)
        desk.report(900, 5, .halfOpened)
        desk.request(1_000, 5, .ikeAuth, 1)
        #expect(
            desk.run(until: 9_000) == [
                "1201 1 handle 10.0.0.1", "1401 2 handle 10.0.0.2", "1601 3 handle 10.0.0.3",
                "1801 4 handle 10.0.0.4", "2200 5 handle 10.0.0.2",
            ]
        )
        #expect(desk.desk.leasedAddressCount == 4)
    }

    @Test("a half keeps its address: IKE_AUTH that comes again gets the same, other requests none")
    func keeps() {
        var desk = DeskUnderTest { $0.pool = [IPPrefix("10.0.0.0/8")!] }
        desk.report(0, 1, .halfOpened)
        desk.request(10, 1, .ikeAuth, 1)
        desk.request(1_000, 1, .ikeAuth, 1)
        desk.request(2_000, 1, .liveness, 2)
        #expect(desk.run(until: 9_000) == ["1210 1 handle 10.0.0.1", "2030 1 handle 10.0.0.1", "3050 1 handle"])
    }

    @Test("an exhausted pool gives none, and the next prefix is used before that")
    func exhausted() {
        var desk = DeskUnderTest { $0.pool = [IPPrefix("10.0.0.5/32")!, IPPrefix("10.1.0.0/31")!] }
        for client in 1...4 as ClosedRange<UInt32> {
            desk.report(0, client, .halfOpened)
            desk.request(Int64(client), client, .ikeAuth, 1)
        }
        #expect(
            desk.run(until: 9_000) == [
                "1201 1 handle 10.0.0.5", "1401 2 handle 10.1.0.0", "1601 3 handle 10.1.0.1", "1801 4 handle",
            ]
        )
        #expect(desk.desk.metrics.leasesRefused == 1)
    }

    @Test("addresses of each family come from its own prefixes, to those who ask for them")
    func families() {
        let pool = [IPPrefix("fd00:7::/64")!, IPPrefix("10.0.0.0/30")!, IPPrefix("fd00:8::/127")!]
        var desk = DeskUnderTest { $0.pool = pool }
        let wishes: [AddressFamilies] = [[.ipv4, .ipv6], .ipv6, [], .ipv4, [.ipv4, .ipv6]]
        for (client, wish) in zip(1...5 as ClosedRange<UInt32>, wishes) {
            desk.report(0, client, .halfOpened)
            desk.request(Int64(client), client, .ikeAuth, 1, wanting: wish)
        }
        desk.report(1_300, 2, .ended)
        desk.report(1_300, 1, .ended)
        desk.report(1_300, 6, .halfOpened)
        desk.request(1_400, 6, .ikeAuth, 1, wanting: [.ipv4, .ipv6])
        #expect(
            desk.run(until: 9_000) == [
                "1201 1 handle 10.0.0.1 fd00:7::1", "1401 2 handle fd00:7::2", "1601 3 handle",
                "1801 4 handle 10.0.0.2", "2001 5 handle fd00:7::3", "2600 6 handle 10.0.0.1 fd00:7::1",
            ]
        )
        #expect(desk.desk.leasedAddressCount == 4)
        #expect(desk.desk.metrics.leasesRefused == 1)
    }

    @Test("any order of coming and going gives what a list of free addresses would")
    func model() {
        var desk = DeskUnderTest { $0.pool = [IPPrefix("10.0.0.0/19")!] }
        var stream = RandomStream(seed: 3, entity: 1, purpose: .test)
        var free = Set(1...8_190 as ClosedRange<UInt32>)
        var leased: [(client: UInt32, address: UInt32)] = []
        var time: Int64 = 0
        for client in 0..<12_000 as Range<UInt32> {
            time += 250
            // Mostly full at the end, so that low addresses are rare.
            if !leased.isEmpty && stream.below(100) < (client < 9_000 ? 8 : 55) {
                let (gone, address) = leased.remove(at: Int(stream.below(UInt64(leased.count))))
                desk.report(time, gone, .ended)
                free.insert(address)
            }
            desk.report(time, client, .halfOpened)
            desk.request(time, client, .ikeAuth, 1)
            let completions = desk.completions(until: time + 1)
            guard let lease = completions.last?.lease.ipv4 else { continue }
            let address = lease.v4 - 0x0A00_0000
            #expect(address == free.min() ?? 0)
            free.remove(address)
            leased.append((client, address))
        }
        #expect(leased.count > 6_000)
        #expect(desk.desk.leasedAddressCount == leased.count)
    }
}
