import COpenSSL

/// Owns one `BIGNUM`, wiped when it goes.
@safe
struct BigNumber: ~Copyable {
    let pointer: OpaquePointer

    init() throws(CryptoError) {
        guard let pointer = unsafe BN_new() else { throw .libraryFailed }
        unsafe self.pointer = pointer
    }

    /// Takes over what a libcrypto call returned.
    init(adopting pointer: OpaquePointer?) throws(CryptoError) {
        guard let pointer = unsafe pointer else { throw .libraryFailed }
        unsafe self.pointer = pointer
    }

    init(bigEndian bytes: RawSpan) throws(CryptoError) {
        try unsafe self.init(
            adopting: bytes.withUnsafeBytes {
                unsafe BN_bin2bn($0.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32($0.count), nil)
            }
        )
    }

    /// A number whose operations take a time that does not depend on it.
    init(secret: borrowing EphemeralSecret) throws(CryptoError) {
        try self.init(bigEndian: secret.bytes)
        unsafe BN_set_flags(pointer, BN_FLG_CONSTTIME)
    }

    /// 1 more than the remainder of a secret by the largest number that may come out.
    static func wrapped(
        _ secret: borrowing EphemeralSecret,
        to largest: borrowing BigNumber,
        _ context: borrowing BigNumberContext
    ) throws(CryptoError) -> BigNumber {
        let random = try BigNumber(secret: secret)
        let wrapped = try BigNumber()
        try require(unsafe BN_div(nil, wrapped.pointer, random.pointer, largest.pointer, context.pointer))
        try require(unsafe BN_add_word(wrapped.pointer, 1))
        unsafe BN_set_flags(wrapped.pointer, BN_FLG_CONSTTIME)
        return wrapped
    }

    deinit { unsafe BN_clear_free(pointer) }

    /// The number in so many octets, zeros first.
    borrowing func octets(count: Int) throws(CryptoError) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: count)
        let pointer = unsafe pointer
        let written = unsafe octets.withUnsafeMutableBufferPointer {
            unsafe BN_bn2binpad(pointer, $0.baseAddress, Int32(count))
        }
        guard written == count else { throw .libraryFailed }
        return octets
    }

    /// Writes the number in all of the room, zeros first.
    borrowing func write(into out: UnsafeMutableRawBufferPointer) throws(CryptoError) {
        let target = unsafe out.baseAddress?.assumingMemoryBound(to: UInt8.self)
        guard unsafe BN_bn2binpad(pointer, target, Int32(out.count)) == out.count else { throw .libraryFailed }
    }
}

/// Owns one `BN_CTX`: room for the intermediate results of a calculation.
@safe
struct BigNumberContext: ~Copyable {
    let pointer: OpaquePointer

    init() throws(CryptoError) {
        guard let pointer = unsafe BN_CTX_new() else { throw .libraryFailed }
        unsafe self.pointer = pointer
    }

    deinit { unsafe BN_CTX_free(pointer) }
}
