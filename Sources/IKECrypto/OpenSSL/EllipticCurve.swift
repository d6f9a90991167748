import COpenSSL
import Primitives

/// A curve over a prime field, used as RFC 5903 says (RFC 5114 section 3.2 for P-192): a public value is x | y, the
/// shared secret x.
@safe
struct EllipticCurve: ~Copyable {
    private let group: CurveGroup
    private let context: BigNumberContext
    private let prime: BigNumber

    /// The group's order less one: scalars are 1 more than a remainder by it.
    private let largestScalar: BigNumber

    private let coordinateByteCount: Int

    init(_ name: Int32, coordinateByteCount: Int) throws(CryptoError) {
        let group = try CurveGroup(name)
        let context = try BigNumberContext()
        let prime = try BigNumber()
        let largestScalar = try BigNumber()
        try require(unsafe EC_GROUP_get_curve(group.pointer, prime.pointer, nil, nil, context.pointer))
        try require(unsafe EC_GROUP_get_order(group.pointer, largestScalar.pointer, context.pointer))
        try require(unsafe BN_sub_word(largestScalar.pointer, 1))

        self.group = group
        self.context = context
        self.prime = prime
        self.largestScalar = largestScalar
        self.coordinateByteCount = coordinateByteCount
    }

    borrowing func keyPair(randomness: borrowing EphemeralSecret) throws(CryptoError) -> KeyExchangeResult.KeyPair {
        let privateKey = try self.privateKey(randomness: randomness)
        let scalar = try BigNumber(secret: privateKey)
        let point = try CurvePoint(on: group)
        try require(
            unsafe EC_POINT_mul(group.pointer, point.pointer, scalar.pointer, nil, nil, context.pointer)
        )
        let x = try BigNumber()
        let y = try BigNumber()
        try affineCoordinates(of: point, x: x, y: y)
        let publicValue = try x.octets(count: coordinateByteCount) + y.octets(count: coordinateByteCount)
        return KeyExchangeResult.KeyPair(publicValue: publicValue, privateKey: privateKey)
    }

    /// The scalar that follows from random octets.
    borrowing func privateKey(randomness: borrowing EphemeralSecret) throws(CryptoError) -> EphemeralSecret {
        let scalar = try BigNumber.wrapped(randomness, to: largestScalar, context)
        let privateKey = EphemeralSecret(count: coordinateByteCount)
        try unsafe scalar.write(into: privateKey.mutableBuffer)
        return privateKey
    }

    /// Whether a peer's value is one to compute with.
    borrowing func accepts(_ publicValue: [UInt8]) -> Bool {
        do throws(CryptoError) {
            _ = try point(from: publicValue)
            return true
        } catch {
            return false
        }
    }

    borrowing func agreement(
        _ privateKey: borrowing EphemeralSecret,
        _ peerPublicValue: [UInt8]
    ) throws(CryptoError) -> SharedSecret {
        let peer = try point(from: peerPublicValue)
        let scalar = try BigNumber(secret: privateKey)
        let result = try CurvePoint(on: group)
        try require(
            unsafe EC_POINT_mul(
                group.pointer,
                result.pointer,
                nil,
                peer.pointer,
                scalar.pointer,
                context.pointer
            )
        )
        let x = try BigNumber()
        let y = try BigNumber()
        try affineCoordinates(of: result, x: x, y: y)
        let secret = SharedSecret(count: coordinateByteCount)
        try unsafe x.write(into: secret.mutableBuffer)
        return secret
    }

    /// The peer's point: both coordinates are in the field, and it is on the curve (RFC 6989 section 2.3).
    ///
    /// The curves have cofactor 1, so that every such point is in the group.
    private borrowing func point(from publicValue: [UInt8]) throws(CryptoError) -> CurvePoint {
        let octets = publicValue.rawSpan
        let x = try BigNumber(bigEndian: octets.extracting(0..<coordinateByteCount))
        let y = try BigNumber(bigEndian: octets.extracting(coordinateByteCount..<2 * coordinateByteCount))
        guard unsafe BN_cmp(x.pointer, prime.pointer) < 0, unsafe BN_cmp(y.pointer, prime.pointer) < 0 else {
            throw .invalidPeerPublicValue
        }
        let point = try CurvePoint(on: group)
        try require(
            unsafe EC_POINT_set_affine_coordinates(
                group.pointer,
                point.pointer,
                x.pointer,
                y.pointer,
                context.pointer
            ),
            else: .invalidPeerPublicValue
        )
        return point
    }

    private borrowing func affineCoordinates(
        of point: borrowing CurvePoint,
        x: borrowing BigNumber,
        y: borrowing BigNumber
    ) throws(CryptoError) {
        try require(
            unsafe EC_POINT_get_affine_coordinates(group.pointer, point.pointer, x.pointer, y.pointer, context.pointer)
        )
    }
}

/// Owns one `EC_GROUP`.
@safe
struct CurveGroup: ~Copyable {
    let pointer: OpaquePointer

    init(_ name: Int32) throws(CryptoError) {
        guard let pointer = unsafe EC_GROUP_new_by_curve_name(name) else { throw .libraryFailed }
        unsafe self.pointer = pointer
    }

    deinit { unsafe EC_GROUP_free(pointer) }
}

/// Owns one `EC_POINT`, wiped when it goes.
@safe
struct CurvePoint: ~Copyable {
    let pointer: OpaquePointer

    init(on group: borrowing CurveGroup) throws(CryptoError) {
        guard let pointer = unsafe EC_POINT_new(group.pointer) else { throw .libraryFailed }
        unsafe self.pointer = pointer
    }

    deinit { unsafe EC_POINT_clear_free(pointer) }
}
