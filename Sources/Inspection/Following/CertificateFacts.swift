import Primitives

/// What a certificate says about its subject and its time (RFC 5280 section 4.1), read without judging its signature.
package struct CertificateFacts: Hashable, Sendable {
    package var subject: String
    package var issuer: String
    /// Seconds since 1970.
    package var validity: ClosedRange<Int64>

    /// Nil for octets that are no certificate, or one that was never valid.
    init?(_ octets: [UInt8]) {
        guard let certificate = DERReader.contents(of: octets, tag: 0x30),
            let body = DERReader.contents(of: certificate, tag: 0x30)
        else { return nil }
        var reader = DERReader(body)
        if reader.peek == 0xA0 { _ = reader.next() }
        // Serial number and signature algorithm stand before the issuer.
        guard reader.next()?.tag == 0x02, reader.next()?.tag == 0x30,
            let issuer = reader.next().flatMap(DistinguishedName.init(element:)),
            let times = reader.next(), times.tag == 0x30,
            let subject = reader.next().flatMap(DistinguishedName.init(element:))
        else { return nil }
        var ends = DERReader(times.contents)
        guard let from = ends.next().flatMap(Self.time), let until = ends.next().flatMap(Self.time), from <= until
        else { return nil }
        self.subject = subject.text
        self.issuer = issuer.text
        validity = from...until
    }

    /// UTCTime or GeneralizedTime, in the forms that RFC 5280 section 4.1.2.5 leaves.
    private static func time(_ element: DERReader.Element) -> Int64? {
        let digits = element.contents.dropLast()
        guard element.contents.last == UInt8(ascii: "Z"), digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        var fields = digits.map { Int64($0 - 0x30) }
        switch (element.tag, fields.count) {
        case (0x17, 12): fields = (fields[0] >= 5 ? [1, 9] : [2, 0]) + fields
        case (0x18, 14): break
        default: return nil
        }
        func two(_ place: Int) -> Int64 { fields[place] * 10 + fields[place + 1] }
        let (year, month, day) = (two(0) * 100 + two(2), two(4), two(6))
        guard (1...12).contains(month), (1...31).contains(day) else { return nil }
        return days(year, month, day) * 86_400 + two(8) * 3_600 + two(10) * 60 + two(12)
    }

    /// Days since 1970, of the Gregorian calendar, whose year begins in March here.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

/// A name as X.500 writes it, shown as RFC 4514 does, but in the order of the certificate.
struct DistinguishedName: Hashable, Sendable {
    let text: String

    /// Nil for octets that are no name.
    init?(_ octets: [UInt8]) {
        var reader = DERReader(octets)
        guard let element = reader.next(), reader.isAtEnd else { return nil }
        self.init(element: element)
    }

    init?(element: DERReader.Element) {
        guard element.tag == 0x30 else { return nil }
        var sets = DERReader(element.contents)
        var parts: [String] = []
        while let set = sets.next() {
            var attributes = DERReader(set.contents)
            guard set.tag == 0x31, let attribute = attributes.next(), attribute.tag == 0x30 else { return nil }
            var fields = DERReader(attribute.contents)
            guard let type = fields.next(), type.tag == 0x06, let value = fields.next() else { return nil }
            parts.append("\(Self.name(of: type.contents))=\(String(decoding: value.contents, as: UTF8.self))")
        }
        guard sets.isAtEnd else { return nil }
        text = parts.joined(separator: ", ")
    }

    private static func name(of type: [UInt8]) -> String {
        switch type {
        case [0x55, 4, 3]: "CN"
        case [0x55, 4, 6]: "C"
        case [0x55, 4, 7]: "L"
        case [0x55, 4, 8]: "ST"
        case [0x55, 4, 10]: "O"
        case [0x55, 4, 11]: "OU"
        case [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 1]: "E"
        default: Hexadecimal.encode(type)
        }
    }
}

/// Reads elements of DER one after the other.
struct DERReader {
    struct Element {
        var tag: UInt8
        var contents: [UInt8]
    }

    private var rest: ArraySlice<UInt8>

    init(_ octets: [UInt8]) { rest = octets[...] }

    var isAtEnd: Bool { rest.isEmpty }
    var peek: UInt8? { rest.first }

    /// The next element, or nil behind the last one and where there is none.
    mutating func next() -> Element? {
        guard rest.count >= 2, let tag = rest.popFirst(), let first = rest.popFirst() else { return nil }
        var length = Int(first)
        if first & 0x80 != 0 {
            let count = Int(first & 0x7F)
            guard (1...3).contains(count), rest.count >= count else { return nil }
            length = rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            rest.removeFirst(count)
        }
        guard length <= rest.count else { return nil }
        defer { rest.removeFirst(length) }
        return Element(tag: tag, contents: Array(rest.prefix(length)))
    }

    /// What is inside the one element that the octets begin with.
    static func contents(of octets: [UInt8], tag: UInt8) -> [UInt8]? {
        var reader = DERReader(octets)
        guard let element = reader.next(), element.tag == tag else { return nil }
        return element.contents
    }
}
