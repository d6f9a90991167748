package import Primitives

// Keys as octets, one behind the other: how they are kept while their SA is at rest. How long each is, the suite says.

extension IKEKeys {
    /// Appends SK_d, SK_ai, SK_ar, SK_ei and SK_er; SK_pi and SK_pr have done what they are for once the IKE SA is
    /// established.
    package borrowing func write(into writer: inout ByteWriter) {
        writer.write(d.bytes)
        writer.write(ai.bytes)
        writer.write(ar.bytes)
        writer.write(ei.bytes)
        writer.write(er.bytes)
    }

    /// Reads what `write` has written.
    ///
    /// - Throws: `DecodeError.truncated` where there are fewer octets than the suite's keys have.
    package init(_ suite: IKESuite, from reader: inout ByteReader) throws(DecodeError) {
        let integrity = suite.integrity?.keyByteCount ?? 0
        let encryption = suite.cipher.keyByteCount
        let function = suite.prf.outputByteCount
        let octets = try reader.read(function + 2 * integrity + 2 * encryption)
        var offset = 0
        d = octets.secret(function, at: &offset)
        ai = octets.secret(integrity, at: &offset)
        ar = octets.secret(integrity, at: &offset)
        ei = octets.secret(encryption, at: &offset)
        er = octets.secret(encryption, at: &offset)
        pi = SecretBytes()
        pr = SecretBytes()
    }
}

extension ChildKeys {
    package borrowing func write(into writer: inout ByteWriter) {
        writer.write(initiatorEncryption.bytes)
        writer.write(initiatorIntegrity.bytes)
        writer.write(responderEncryption.bytes)
        writer.write(responderIntegrity.bytes)
    }

    /// Reads what `write` has written.
    ///
    /// - Throws: `DecodeError.truncated` where there are fewer octets than the suite's keys have.
    package init(_ suite: ChildSuite, from reader: inout ByteReader) throws(DecodeError) {
        let integrity = suite.integrity?.keyByteCount ?? 0
        let encryption = suite.cipher.keyByteCount
        let octets = try reader.read(2 * integrity + 2 * encryption)
        var offset = 0
        initiatorEncryption = octets.secret(encryption, at: &offset)
        initiatorIntegrity = octets.secret(integrity, at: &offset)
        responderEncryption = octets.secret(encryption, at: &offset)
        responderIntegrity = octets.secret(integrity, at: &offset)
    }
}

extension RawSpan {
    fileprivate func secret(_ count: Int, at offset: inout Int) -> SecretBytes {
        defer { offset += count }
        return SecretBytes(copying: extracting(offset..<offset + count))
    }
}
