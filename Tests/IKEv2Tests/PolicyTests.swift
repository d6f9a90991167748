import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

@Suite("A policy")
struct PolicyTests {
    struct Identity: CustomTestStringConvertible {
        let text: String
        let number: UInt32
        let type: IdentificationType
        let octets: [UInt8]
        var testDescription: String { text }

        init(_ text: String, _ number: UInt32, _ type: IdentificationType, _ octets: String) {
            self.init(text, number, type, Array(octets.utf8))
        }

        init(_ text: String, _ number: UInt32, _ type: IdentificationType, _ octets: [UInt8]) {
            self.text = text
            self.number = number
            self.type = type
            self.octets = octets
        }
    }

    @Test(
        "writes an identity's type from its form, and the client's number into it",
        arguments: [
            Identity("gw.example.org", 7, .fqdn, "gw.example.org"),
            Identity("user%05d@example.org", 7, .rfc822Address, "user00007@example.org"),
            Identity("user%05d@example.org", 4_294_967_295, .rfc822Address, "user4294967295@example.org"),
            Identity("host-%d", 0, .fqdn, "host-0"),
            Identity("host-%d", 120, .fqdn, "host-120"),
            Identity("a%sb%02d%d", 3, .fqdn, "a%sb03%d"),
            Identity("100%", 3, .fqdn, "100%"),
            Identity("192.0.2.1", 7, .ipv4Address, [192, 0, 2, 1]),
            Identity("2001:db8::1", 7, .ipv6Address, [0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        ]
    )
    func identity(_ identity: Identity) {
        let template = IdentityTemplate(identity.text)
        #expect(template.type == identity.type)
        #expect(template.octets(number: identity.number) == identity.octets)
    }

    struct Narrowing: CustomTestStringConvertible {
        let name: String
        let offered: [String]
        let allowed: [String]
        let result: [String]
        var testDescription: String { name }
    }

    @Test(
        "narrows traffic selectors to what both ends name (RFC 7296 section 2.9)",
        arguments: [
            Narrowing(name: "to the policy's", offered: ["0.0.0.0/0"], allowed: ["10.0.0.0/8"], result: ["10.0.0.0/8"]),
            Narrowing(name: "to the offer", offered: ["10.1.2.0/24"], allowed: ["10.0.0.0/8"], result: ["10.1.2.0/24"]),
            Narrowing(
                name: "to several pieces",
                offered: ["10.0.0.0/8", "192.168.0.0/16"],
                allowed: ["192.168.1.0/24", "10.7.0.0/16", "172.16.0.0/12"],
                result: ["10.7.0.0/16", "192.168.1.0/24"]
            ),
            Narrowing(
                name: "to what is said twice, once",
                offered: ["10.0.0.0/8", "0.0.0.0/0"],
                allowed: ["10.0.0.0/8"],
                result: ["10.0.0.0/8"]
            ),
            Narrowing(name: "to nothing", offered: ["10.0.0.0/8"], allowed: ["192.168.0.0/16"], result: []),
            Narrowing(name: "to nothing across families", offered: ["::/0"], allowed: ["0.0.0.0/0"], result: []),
        ]
    )
    func narrows(_ narrowing: Narrowing) {
        let selectors = { (texts: [String]) in texts.map { TrafficSelector(IPPrefix($0)!) } }
        #expect(narrow(selectors(narrowing.offered), to: selectors(narrowing.allowed)) == selectors(narrowing.result))
    }

    @Test("narrows protocols and ports too")
    func narrowsPorts() {
        let all = IPPrefix("10.0.0.0/8")!
        var web = TrafficSelector(all)
        web.ipProtocol = 6
        web.startPort = 80
        web.endPort = 443
        var low = TrafficSelector(all)
        low.endPort = 100
        var common = web
        common.endPort = 100
        #expect(narrow([web], to: [low]) == [common])
        var udp = TrafficSelector(all)
        udp.ipProtocol = 17
        #expect(narrow([web], to: [udp]) == [])
        #expect(isNarrowing([common], of: [web]))
        #expect(!isNarrowing([web], of: [common]))
        #expect(!isNarrowing([], of: [web]))
    }

    @Test("does not let an offer of very many pieces grow without end")
    func narrowsManyPieces() {
        let pieces = (0..<255).map {
            TrafficSelector(IPPrefix(address: IPAddress(v4: 0x0A00_0000 + UInt32($0)), length: 32))
        }
        let allowed = [TrafficSelector(IPPrefix("10.0.0.0/8")!), TrafficSelector(IPPrefix("10.0.0.0/16")!)]
        #expect(narrow(pieces, to: allowed).count == 32)
    }
}

@Suite("A cookie")
struct CookieTests {
    @Test("is good for its initiator, nonce and address, in its period and the next one")
    func isGood() throws {
        let cryptography = try Cryptography(backend: .openSSL, seed: [UInt8](repeating: 1, count: 32).rawSpan)
        let issuer = CookieIssuer(secret: [1, 2, 3], period: .seconds(60))
        let nonce = [UInt8](repeating: 5, count: 32)
        let spi = IKESPI(rawValue: 77)
        let address = IPAddress("192.0.2.5")!
        let made = Instant.zero + .seconds(59)
        let cookie = issuer.cookie(nonce: nonce.rawSpan, spi: spi, address: address, at: made, cryptography)
        #expect((1...64).contains(cookie.count))

        func isGood(
            _ cookie: [UInt8],
            by issuer: CookieIssuer = issuer,
            nonce: [UInt8] = nonce,
            spi: IKESPI = spi,
            address: IPAddress = address,
            after: Duration
        ) -> Bool {
            issuer.isGenuine(
                cookie,
                nonce: nonce.rawSpan,
                spi: spi,
                address: address,
                at: made + after,
                cryptography
            )
        }
        #expect(isGood(cookie, after: .zero))
        #expect(isGood(cookie, after: .seconds(60)))
        #expect(!isGood(cookie, after: .seconds(61)))
        #expect(!isGood(cookie, nonce: [UInt8](repeating: 6, count: 32), after: .zero))
        #expect(!isGood(cookie, spi: IKESPI(rawValue: 78), after: .zero))
        #expect(!isGood(cookie, address: IPAddress("192.0.2.6")!, after: .zero))
        #expect(!isGood([], after: .zero))
        for index in cookie.indices {
            var changed = cookie
            changed[index] ^= 0x10
            #expect(!isGood(changed, after: .zero))
        }
        let other = CookieIssuer(secret: [1, 2, 4], period: .seconds(60))
        #expect(!isGood(cookie, by: other, after: .zero))
    }
}

@Suite("SPIs of IKE SAs")
struct SPISourceTests {
    @Test("are all different, lead back to their owner, and are not zero")
    func permutes() {
        var seen: Set<UInt64> = []
        for owner in [0, 1, 2, 77, .max] as [UInt32] {
            var source = SPISource(key: 0xFEED, owner: owner)
            for _ in 0..<2_000 {
                let spi = source.next()
                #expect(spi != .zero)
                #expect(SPISource.owner(of: spi, key: 0xFEED) == owner)
                seen.insert(spi.rawValue)
            }
        }
        #expect(seen.count == 10_000)
        var other = SPISource(key: 0xBEEF, owner: 1)
        #expect(!seen.contains(other.next().rawValue))
    }
}
