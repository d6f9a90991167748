/// 32 octets of the operating system's randomness: the one seed of a run in real time.
package func operatingSystemSeed() -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    var octets: [UInt8] = []
    while octets.count < 32 {
        var word = generator.next()
        for _ in 0..<8 {
            octets.append(UInt8(truncatingIfNeeded: word))
            word >>= 8
        }
    }
    return octets
}
