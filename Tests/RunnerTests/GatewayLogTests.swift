import Foundation
import Runner
import Testing

@Suite("What a gateway's log says of one cell of a matrix")
struct GatewayLogTests {
    private static let strongSwan = [
        (1_000, "05:26:53.1 14[NET] <1> received packet: from 10.99.0.1[500] to 10.98.1.2[500] (208 bytes)"),
        (1_000, "05:26:53.1 14[IKE] <1> received proposals unacceptable"),
        (1_050, "05:26:53.2 15[NET] <2> received packet: from 10.99.0.12[500] to 10.98.1.2[500] (208 bytes)"),
        (1_050, "05:26:53.2 15[IKE] <psk|2> tried 1 shared key for 'gw' - 'user', but MAC mismatched"),
        (1_400, "05:26:53.4 13[NET] <3> received packet: from 10.99.0.1[500] to 10.98.1.2[500] (208 bytes)"),
        (1_402, "05:26:53.4 12[IKE] <psk|3> no acceptable proposal found"),
        (1_403, "05:26:53.4 12[IKE] <psk|3> failed to establish CHILD_SA, keeping IKE_SA"),
        (1_404, "05:26:53.4 12[ENC] <psk|3> generating IKE_AUTH response 1 [ IDr AUTH N(NO_PROP) ]"),
        (1_420, "05:26:53.5 11[IKE] <4> received proposals unacceptable"),
    ]
    private static let libreswan = [
        (
            2_000,
            #"Nov 28 05:38:43.0: "clients"[1] 10.99.0.3 #7: no local proposal matches remote proposals 1:IKE:DH=X"#
        ),
        (2_000, #"Nov 28 05:38:43.0: "clients"[1] 10.99.0.3 #7: responding to IKE_SA_INIT (34) message with error"#),
        (
            2_010,
            #"Nov 28 05:38:43.0: "clients"[2] 10.99.0.4 #8: no local proposal matches remote proposals 1:IKE:DH=Y"#
        ),
    ]

    private static func lines(_ said: [(Int, String)]) -> [GatewayLog.Line] {
        said.map { GatewayLog.Line(time: UInt64($0.0) * 1_000_000, text: $0.1) }
    }

    private static func words(_ said: [(Int, String)], _ address: String, _ start: UInt64, _ end: UInt64) -> [String] {
        lines(said).evidence(about: address, from: start * 1_000_000, until: end * 1_000_000)
            .map { GatewayLog.words(of: $0) }
    }

    @Test("is what has the number that strongSwan gave its IKE SA, and says why")
    func readsStrongSwan() {
        let all = Self.strongSwan
        #expect(Self.words(all, "10.99.0.1", 999, 1_001) == ["received proposals unacceptable"])
        #expect(
            Self.words(all, "10.99.0.12", 1_049, 1_051) == ["tried 1 shared key for 'gw' - 'user', but MAC mismatched"]
        )
        // The same address again is another IKE SA, whose lines do not all name it.
        #expect(
            Self.words(all, "10.99.0.1", 1_399, 1_404)
                == ["no acceptable proposal found", "failed to establish CHILD_SA, keeping IKE_SA"]
        )
    }

    @Test("is what has libreswan's number, of which every line names the address")
    func readsLibreswan() {
        #expect(
            Self.words(Self.libreswan, "10.99.0.3", 1_999, 2_001) == [
                "no local proposal matches remote proposals 1:IKE:DH=X",
                "responding to IKE_SA_INIT (34) message with error",
            ]
        )
    }

    @Test("is nothing where the log does not name the address in time")
    func findsNothing() {
        #expect(Self.words(Self.strongSwan, "10.99.0.2", 999, 1_500) == [])
        #expect(Self.words(Self.strongSwan, "10.99.0.12", 1_500, 1_600) == [])
        #expect(Self.words([], "10.99.0.1", 0, 1_000) == [])
    }

    @Test("a log is followed from where it was, by whole lines")
    func follows() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "ikestorm-log-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("before\n".utf8).write(to: file)
        let log = try GatewayLog(following: file.path)
        let handle = try FileHandle(forWritingTo: file)
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("one\ntw".utf8))
        Thread.sleep(forTimeInterval: 0.05)
        try handle.write(contentsOf: Data("o\nthree".utf8))
        let lines = log.end()
        #expect(lines.map(\.text) == ["one", "two"])
        #expect(lines[0].time < lines[1].time)
        #expect(throws: LiveError.self) { try GatewayLog(following: "/nowhere/log") }
    }
}
