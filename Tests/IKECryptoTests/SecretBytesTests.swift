import IKECrypto
import Primitives
import Testing

@Suite("Secrets")
struct SecretBytesTests {
    @Test("a secret holds what it was given, and a copy lives on its own", arguments: [0, 1, 31, 32, 63, 64])
    func holds(_ count: Int) {
        let octets = [UInt8]((0..<count).map { UInt8($0) })
        var copy = SecretBytes()
        do {
            let secret = octets.secret
            copy = secret.copy()
        }
        let held = [UInt8](copying: copy)
        let isEqual = copy.isEqual(to: octets.rawSpan)
        #expect(held == octets)
        #expect(isEqual)
    }

    @Test("secrets are equal when all octets are, and only then")
    func compares() {
        let octets = [UInt8](0..<64)
        #expect(areEqual(octets, octets))
        #expect(areEqual([], []))
        #expect(!areEqual(octets, [UInt8](octets.dropLast())))
        for index in octets.indices {
            var other = octets
            other[index] ^= 0x10
            #expect(!areEqual(octets, other))
        }
    }

    @Test("a secret is wiped where it lies when its owner lets go of it")
    func wipes() {
        let octets = [UInt8](1...64)
        let place = UnsafeMutablePointer<SecretBytes>.allocate(capacity: 1)
        defer { unsafe place.deallocate() }
        let memory = unsafe UnsafeRawBufferPointer(start: place, count: 64)

        unsafe place.initialize(to: octets.secret)
        #expect(unsafe [UInt8](memory) == octets)
        unsafe place.deinitialize(count: 1)
        #expect(unsafe [UInt8](memory) == [UInt8](repeating: 0, count: 64))
    }

    @Test("the private key of the longest curve is wiped, too")
    func wipesEphemeral() {
        let octets = [UInt8](1...80)
        let place = UnsafeMutablePointer<EphemeralSecret>.allocate(capacity: 1)
        defer { unsafe place.deallocate() }
        let memory = unsafe UnsafeRawBufferPointer(start: place, count: 80)

        unsafe place.initialize(to: octets.ephemeral)
        #expect(unsafe [UInt8](memory) == octets)
        unsafe place.deinitialize(count: 1)
        #expect(unsafe [UInt8](memory) == [UInt8](repeating: 0, count: 80))
    }

    @Test("the secrets inside other values are wiped with them")
    func wipesInside() {
        let octets = [UInt8](1...64)
        let place = UnsafeMutablePointer<Holder>.allocate(capacity: 1)
        defer { unsafe place.deallocate() }
        let memory = unsafe UnsafeRawBufferPointer(start: place, count: MemoryLayout<Holder>.size)

        unsafe place.initialize(to: .both(Pair(first: octets.secret, second: octets.shared)))
        #expect(unsafe contains(octets, in: memory))
        unsafe place.pointee = .none
        #expect(unsafe !contains(octets, in: memory))
        unsafe place.deinitialize(count: 1)
    }

    @Test("no description, dump or mirror of what holds a secret shows its octets")
    func isNotDescribed() throws {
        let octets = [UInt8](repeating: 0xA7, count: 32)
        let box = SecretBox(octets.secret, octets.shared)
        var text = String(describing: box) + String(reflecting: box)
        dump(box, to: &text)
        for child in Mirror(reflecting: box).children { text += String(reflecting: child) }
        for form in ["167", "A7", "a7", "-89", "12080808863958804391"] {
            #expect(!text.contains(form), "\(form) in \(text)")
        }
        let held = [UInt8](copying: box.secret)
        #expect(held == octets)
    }

    @Test("keys are equal when every one of them is")
    func comparesKeys() throws {
        let crypto = try cryptography()
        let one = crypto.keys(nonce: 1)
        let isEqualToItsLike = one.isEqual(to: crypto.keys(nonce: 1))
        let isEqualToAnother = one.isEqual(to: crypto.keys(nonce: 2))
        #expect(isEqualToItsLike)
        #expect(!isEqualToAnother)
    }

    private func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool { one.secret.isEqual(to: other.secret) }

    private func contains(_ octets: [UInt8], in memory: UnsafeRawBufferPointer) -> Bool {
        let needle = octets.prefix(8)
        return (0..<max(0, memory.count - needle.count)).contains { start in
            unsafe memory[start..<start + needle.count].elementsEqual(needle)
        }
    }
}

private struct Pair: ~Copyable {
    let first: SecretBytes
    let second: SharedSecret
}

private enum Holder: ~Copyable {
    case none
    case both(Pair)
}

/// Not private, since the description of a private type holds an address, in which any digits may occur.
final class SecretBox {
    let secret: SecretBytes
    let shared: SharedSecret

    init(_ secret: consuming SecretBytes, _ shared: consuming SharedSecret) {
        self.secret = secret
        self.shared = shared
    }
}

extension Cryptography {
    fileprivate borrowing func keys(nonce: UInt8) -> IKEKeys {
        let nonce = [UInt8](repeating: nonce, count: 32)
        return deriveIKEKeys(
            IKESuite(cipher: .aesGCM256, integrity: nil, prf: .hmacSHA384, keyExchange: .curve25519),
            sharedSecret: nonce.shared,
            ni: nonce.rawSpan,
            nr: nonce.rawSpan,
            spii: 1,
            spir: 2
        )
    }
}
