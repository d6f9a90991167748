import IKECrypto
package import Primitives

/// What a network access server says of itself in every request.
package struct NASIdentification: Hashable, Sendable {
    package let identifier: [UInt8]
    package let address: IPAddress?
    /// How long the link lets an EAP packet be, for methods that send fragments (RFC 3579 section 2.4).
    package let framedMTU: UInt32?

    package init(identifier: [UInt8], address: IPAddress? = nil, framedMTU: UInt32? = nil) {
        self.identifier = identifier
        self.address = address
        self.framedMTU = framedMTU
    }
}

/// An Access-Request that carries EAP (RFC 3579 section 2.1), before a server has been chosen for it.
package struct AccessRequest: Hashable, Sendable {
    package let userName: [UInt8]
    package let eapMessage: [UInt8]
    /// What the server wants to have back from its last Access-Challenge.
    package let state: [UInt8]?
    package let callingStationID: [UInt8]?
    package let calledStationID: [UInt8]?
    /// The one server that knows the conversation; nil at its beginning.
    package let server: Int?

    package init(
        userName: [UInt8],
        eapMessage: [UInt8],
        state: [UInt8]? = nil,
        callingStationID: [UInt8]? = nil,
        calledStationID: [UInt8]? = nil,
        server: Int? = nil
    ) {
        self.userName = userName
        self.eapMessage = eapMessage
        self.state = state
        self.callingStationID = callingStationID
        self.calledStationID = calledStationID
        self.server = server
    }

    /// The packet for one server, or nil when it would be longer than RADIUS allows.
    func encoded(
        identifier: UInt8,
        authenticator: [UInt8],
        secret: [UInt8],
        nas: NASIdentification,
        _ cryptography: borrowing Cryptography
    ) -> [UInt8]? {
        let short = [userName, state ?? [], callingStationID ?? [], calledStationID ?? [], nas.identifier]
        guard short.allSatisfy({ $0.count <= ByteWriter.longestValue }) else { return nil }
        var writer = ByteWriter(capacity: 512)
        writer.writeInteger(RADIUSCode.accessRequest.rawValue)
        writer.writeInteger(identifier)
        writer.writeInteger(UInt16(0))
        writer.write(authenticator)
        // First, so that what a forger could choose stands behind it.
        writer.attribute(.messageAuthenticator, [UInt8](repeating: 0, count: 16))
        writer.attribute(.userName, userName)
        writer.attribute(.nasPortType, number: Self.virtualPort)
        writer.attribute(.serviceType, number: Self.framedService)
        writer.attribute(.nasIdentifier, nas.identifier)
        if let address = nas.address {
            let type: RADIUSAttributeType = address.isIPv4 ? .nasIPAddress : .nasIPv6Address
            writer.attribute(type, (0..<address.byteCount).map(address.byte))
        }
        if let framedMTU = nas.framedMTU { writer.attribute(.framedMTU, number: framedMTU) }
        if let callingStationID { writer.attribute(.callingStationID, callingStationID) }
        if let calledStationID { writer.attribute(.calledStationID, calledStationID) }
        if let state { writer.attribute(.state, state) }
        writer.eapMessage(eapMessage)
        guard writer.count <= RADIUSPacket.maximumByteCount else { return nil }
        writer.patch(UInt16(writer.count), at: 2)
        cryptography.hmacMD5(key: secret.rawSpan, writer.span).withBytes { code in
            writer.patch(code, at: RADIUSPacket.headerByteCount + 2)
        }
        return writer.bytes
    }

    private static let virtualPort: UInt32 = 5
    private static let framedService: UInt32 = 2
}

extension ByteWriter {
    /// How many octets the value of an attribute has at most (RFC 2865 section 5).
    static var longestValue: Int { 253 }

    /// Appends an attribute.
    package mutating func attribute(_ type: RADIUSAttributeType, _ value: [UInt8]) {
        precondition(value.count <= Self.longestValue, "an attribute counts its octets in one")
        writeInteger(type.rawValue)
        writeInteger(UInt8(value.count + 2))
        write(value)
    }

    mutating func attribute(_ type: RADIUSAttributeType, number: UInt32) {
        writeInteger(type.rawValue)
        writeInteger(UInt8(6))
        writeInteger(number)
    }

    /// Appends an EAP packet in as many attributes as it takes (RFC 3579 section 3.1).
    package mutating func eapMessage(_ message: [UInt8]) {
        var start = 0
        while start < message.count {
            let end = min(message.count, start + Self.longestValue)
            attribute(.eapMessage, Array(message[start..<end]))
            start = end
        }
    }
}
