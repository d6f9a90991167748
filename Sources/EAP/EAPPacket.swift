package import Primitives

/// An EAP packet (RFC 3748 section 4), borrowed from what carried it.
package struct EAPPacket: ~Escapable {
    package let code: Code
    package let identifier: UInt8

    /// Of a Request or Response only.
    package let type: EAPType?

    /// What follows the type.
    package let data: RawSpan

    /// A packet's longest form; methods with more to say send fragments.
    package static let maximumByteCount = 8192

    /// Octets behind the packet's own length are the carrier's padding, and ignored (section 4.1).
    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan) throws(DecodeError) {
        var header = ByteReader(bytes)
        code = Code(rawValue: try header.readInteger())
        identifier = try header.readInteger()
        let length = Int(try header.readInteger(as: UInt16.self))
        guard length >= Self.headerByteCount, length <= Self.maximumByteCount else { throw .malformed(.eapLength) }
        var body = ByteReader(try header.read(length - Self.headerByteCount))
        switch code {
        case .request, .response: type = try EAPType(&body)
        case .success, .failure:
            guard length == Self.headerByteCount else { throw .malformed(.eapLength) }
            type = nil
        default: throw .malformed(.eapCode)
        }
        data = body.readRest()
    }

    static let headerByteCount = 4

    /// What a packet does (section 4).
    package struct Code: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let request = Self(rawValue: 1)
        package static let response = Self(rawValue: 2)
        package static let success = Self(rawValue: 3)
        package static let failure = Self(rawValue: 4)
    }
}

extension EAPType {
    init(_ reader: inout ByteReader) throws(DecodeError) {
        let number: UInt8 = try reader.readInteger()
        guard number == Self.expandedNumber else {
            self.init(rawValue: number)
            return
        }
        let high: UInt8 = try reader.readInteger()
        let low: UInt16 = try reader.readInteger()
        self.init(vendorID: UInt32(high) << 16 | UInt32(low), vendorType: try reader.readInteger())
    }
}

extension ByteWriter {
    /// Appends a Request or Response; the closure appends its data.
    package mutating func eap(
        _ code: EAPPacket.Code,
        identifier: UInt8,
        type: EAPType,
        _ writeData: (inout ByteWriter) -> Void = { _ in }
    ) {
        let start = count
        beginEAP(code, identifier: identifier, type: type)
        writeData(&self)
        endEAP(from: start)
    }

    /// Appends a Success or Failure.
    package mutating func eap(_ code: EAPPacket.Code, identifier: UInt8) {
        writeInteger(code.rawValue)
        writeInteger(identifier)
        writeInteger(UInt16(EAPPacket.headerByteCount))
    }

    mutating func beginEAP(_ code: EAPPacket.Code, identifier: UInt8, type: EAPType) {
        eap(code, identifier: identifier)
        write(type)
    }

    mutating func endEAP(from start: Int) { patch(UInt16(count - start), at: start + 2) }

    mutating func write(_ type: EAPType) {
        writeInteger(type.rawValue)
        guard type.isExpanded else { return }
        writeInteger(UInt8(type.vendorID >> 16))
        writeInteger(UInt16(truncatingIfNeeded: type.vendorID))
        writeInteger(type.vendorType)
    }
}

/// The types that a Nak asks for instead (RFC 3748 section 5.3); none when there is no other.
struct EAPNak {
    let wanted: [EAPType]

    init(_ type: EAPType, _ data: RawSpan) throws(DecodeError) {
        var reader = ByteReader(data)
        var wanted: [EAPType] = []
        while !reader.isAtEnd {
            let each =
                type == .nak ? EAPType(rawValue: try reader.readInteger()) : try EAPType(&reader)
            // In an Expanded Nak the IETF's own types are written as Expanded Types of vendor 0 (section 5.3.2).
            let isPlain = each.isExpanded && each.vendorID == 0 && each.vendorType < 254
            wanted.append(isPlain ? EAPType(rawValue: UInt8(each.vendorType)) : each)
        }
        self.wanted = wanted.filter { $0.rawValue != 0 }
    }

    /// Appends what a peer says that can do only these methods.
    static func write(_ methods: [EAPType], answering type: EAPType, into writer: inout ByteWriter) {
        let wanted = methods.isEmpty ? [EAPType(rawValue: 0)] : methods
        for method in wanted {
            writer.write(type.isExpanded ? EAPType(vendorID: 0, vendorType: UInt32(method.rawValue)) : method)
        }
    }
}
