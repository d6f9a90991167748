/// Why bytes that somebody sent cannot be decoded.
public enum DecodeError: Error, Hashable, Sendable, BitwiseCopyable {
    /// A field needs more octets than are left.
    case truncated(needed: Int, available: Int)
    /// The octets are there, and say what no correct sender says.
    case malformed(Malformation)
}

/// What is wrong with bytes that are long enough.
public enum Malformation: String, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    /// Octets follow where the last structure ended.
    case trailingBytes
    /// The length in the header is not the length of the datagram.
    case messageLengthMismatch
    /// The major version is not 2.
    case unsupportedMajorVersion
    /// A payload's length is below that of its own header.
    case payloadLengthTooSmall
    /// A proposal or transform is marked neither as the last nor as followed by another.
    case badSubstructureMarker
    /// A proposal's length is below that of its own header.
    case proposalLengthTooSmall
    /// A transform's length is below that of its own header.
    case transformLengthTooSmall
    /// A proposal holds another number of transforms than it says.
    case transformCountMismatch
    /// A Security Association payload without a proposal.
    case emptySecurityAssociation
    /// A transform carries its key length twice.
    case duplicateKeyLength
    /// A nonce outside 16 to 256 octets.
    case nonceLength
    /// An SPI whose length does not fit its protocol.
    case spiLength
    /// A Delete payload whose SPIs are not as many as it says.
    case spiCountMismatch
    /// A traffic selector's length does not fit its type.
    case trafficSelectorLength
    /// A TS payload holds another number of traffic selectors than it says.
    case trafficSelectorCountMismatch
    /// An EAP message whose length is not that of its payload.
    case eapLength
    /// An EAP packet that is neither Request, Response, Success nor Failure.
    case eapCode
    /// What an EAP method says does not fit the method's own lengths or numbers.
    case eapMethodData
    /// A RADIUS attribute's length is below that of its own header, or not what its type demands.
    case attributeLength
    /// A fragment's number is 0 or above the total.
    case fragmentNumber
    /// A character that is not a hexadecimal digit, or half an octet.
    case hexadecimal
    /// A file or packet in a format that is not understood.
    case unsupportedFormat
    /// A checksum that does not match.
    case checksum
}
