import IKECrypto
import Primitives

/// An endpoint in which nothing goes on, in as few octets as say what it is.
///
/// It is one established IKE SA with its Child SAs: no exchange is under way or waits, and nothing is there that few
/// IKE SAs have. The record stays within the process and is no format.
struct RestingEndpoint: ~Copyable {
    private let record: PackedSecrets
    /// The answer that a repeated request gets (RFC 7296 section 2.1).
    private let answer: [UInt8]

    /// Nil where something goes on.
    init?(_ endpoint: borrowing Endpoint, _ turn: inout Turn) {
        guard endpoint.retiringCount == 0 else { return nil }
        var writer = turn.takeWriter()
        writer.removeAll()
        let answer: [UInt8]? =
            switch endpoint.current {
            case .established(let sa): sa.pack(into: &writer) ? sa.channel.lastResponse : nil
            default: nil
            }
        guard let answer else {
            turn.giveBack(writer)
            return nil
        }
        self.answer = answer
        record = PackedSecrets(moving: &writer)
        turn.giveBack(writer)
    }

    /// The endpoint as it was.
    consuming func unpack(as origin: Origin) -> Endpoint {
        do throws(DecodeError) {
            var reader = ByteReader(record.bytes)
            let sa = try IKESA.Established.unpack(&reader, answer: answer, as: origin)
            try reader.expectEnd()
            return Endpoint(responding: .established(sa))
        } catch {
            preconditionFailure("a record is read as it was written: \(error)")
        }
    }
}

extension ByteWriter {
    /// Appends a value as it stands in memory.
    mutating func write<Value: BitwiseCopyable>(raw value: Value) {
        // SAFETY: the octets are only ever read as a value of the same type; what pads it is never looked at.
        unsafe withUnsafeBytes(of: value) { unsafe write($0.bytes) }
    }
}

extension ByteReader {
    /// Reads what `write(raw:)` has written.
    @_lifetime(self: copy self)
    mutating func read<Value: BitwiseCopyable>(raw type: Value.Type) throws(DecodeError) -> Value {
        let octets = try read(MemoryLayout<Value>.size)
        // SAFETY: they were written as a value of this type.
        return unsafe octets.unsafeLoadUnaligned(as: Value.self)
    }
}
