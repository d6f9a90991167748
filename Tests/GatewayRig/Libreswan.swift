/// libreswan as the gateway of a rig.
package struct Libreswan: Sendable {
    package let rig: Rig

    /// Starts pluto with the knobs of `Tests/Gateways/libreswan.sh`, such as `["CHILD_LIFE": "10m"]`.
    package static func start(knobs: [String: String] = [:]) throws -> Libreswan {
        let gateway = Libreswan(rig: try Rig(knobs: knobs))
        _ = try gateway.rig.script("libreswan.sh", "up")
        return gateway
    }

    /// The gateway's own list of SAs.
    package func states() throws -> [ListedState] {
        try ListedState.parse(try rig.script("libreswan.sh", "states"))
    }

    /// The addresses of those whose Child SAs carry traffic, one for each Child SA.
    package func traffic() throws -> [String] {
        try rig.script("libreswan.sh", "traffic").matches(
            of: /^006 #\d+: "[^"]*"\S* ([0-9.]+), type=ESP/.anchorsMatchLineEndings()
        ).map { String($0.1) }
    }

    /// How many SAs the gateway has installed in what it takes for the kernel.
    package func installedCount() throws -> Int {
        try log().matches(of: /xfrm: [+-] [0-9a-f]{8}, (\d+) SAs/).last.flatMap { Int($0.1) } ?? 0
    }

    /// Makes the gateway rekey every Child SA.
    package func rekeyChildSAs() throws { _ = try rig.script("libreswan.sh", "rekey-child") }
    /// Makes the gateway rekey every IKE SA.
    package func rekeyIKESAs() throws { _ = try rig.script("libreswan.sh", "rekey-ike") }
    /// Makes the gateway delete every IKE SA.
    package func terminate() throws { _ = try rig.script("libreswan.sh", "terminate") }

    /// What pluto logged.
    package func log() throws -> String { try rig.script("libreswan.sh", "log") }
}

/// An SA as libreswan lists it: it numbers IKE SAs and Child SAs in one row, and says of a Child SA whose it is.
package struct ListedState: Sendable, Equatable {
    /// A Child SA's part.
    package struct ChildSA: Sendable, Equatable {
        package let ikeSA: Int
        /// The SPI of what libreswan receives.
        package let inboundSPI: UInt32
        /// The SPI of what libreswan sends.
        package let outboundSPI: UInt32

        package init(ikeSA: Int, inboundSPI: UInt32, outboundSPI: UInt32) {
            self.ikeSA = ikeSA
            self.inboundSPI = inboundSPI
            self.outboundSPI = outboundSPI
        }
    }

    /// Two lines that do not make one SA.
    package struct Malformed: Error { package let line: String }

    package let number: Int
    package let remoteAddress: String
    /// Such as `STATE_V2_ESTABLISHED_IKE_SA`.
    package let state: String
    package let child: ChildSA?

    package var isIKESA: Bool { state == "STATE_V2_ESTABLISHED_IKE_SA" }
    package var isChildSA: Bool { state == "STATE_V2_ESTABLISHED_CHILD_SA" && child != nil }

    /// Reads what `ipsec whack --showstates` prints: a line for each SA, and for each Child SA a second one with its SPIs.
    package static func parse(_ text: String) throws -> [ListedState] {
        var states: [ListedState] = []
        for line in text.split(separator: "\n") where line.hasPrefix("000 #") {
            if let match = line.firstMatch(of: /^000 #(\d+): "[^"]*"\S* ([0-9.]+):\d+ (STATE_\w+)/) {
                let owner = line.firstMatch(of: /; IKE SA #(\d+);/)
                states.append(
                    ListedState(
                        number: Int(match.1) ?? 0,
                        remoteAddress: String(match.2),
                        state: String(match.3),
                        child: owner.map { ChildSA(ikeSA: Int($0.1) ?? 0, inboundSPI: 0, outboundSPI: 0) }
                    )
                )
            } else if let match = line.firstMatch(of: /^000 #(\d+): .* esp\.([0-9a-f]+)@\S+ esp\.([0-9a-f]+)@/),
                let last = states.popLast(), last.number == Int(match.1), let child = last.child
            {
                let spis = ChildSA(
                    ikeSA: child.ikeSA,
                    inboundSPI: UInt32(match.3, radix: 16) ?? 0,
                    outboundSPI: UInt32(match.2, radix: 16) ?? 0
                )
                states.append(
                    ListedState(number: last.number, remoteAddress: last.remoteAddress, state: last.state, child: spis)
                )
            } else {
                throw Malformed(line: String(line))
            }
        }
        return states
    }
}
