import Primitives

extension Workload.CredentialFile {
    /// Reads private keys, each with its certificates behind it.
    init(text: String, path: String) throws(UnitProblem) {
        self.path = path
        credentials = []
        for block in try PEMFile.blocks(of: text, path) {
            switch block.label {
            case "PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY":
                if let last = credentials.last, last.certificates.isEmpty {
                    throw Self.missing("certificate", path, block)
                }
                credentials.append(Credential(privateKey: block.octets, certificates: []))
            case "CERTIFICATE":
                guard !credentials.isEmpty else { throw Self.missing("private key", path, block) }
                credentials[credentials.count - 1].certificates.append(block.octets)
            default:
                throw UnitProblem("`\(path)` has a block \(block.label) in line \(block.line)", Self.form)
            }
        }
        guard let last = credentials.last else { throw UnitProblem("`\(path)` has no private key", Self.form) }
        guard !last.certificates.isEmpty else {
            throw UnitProblem("the last private key of `\(path)` has no certificate", Self.form)
        }
    }

    private static func missing(_ what: String, _ path: String, _ block: PEM.Block) -> UnitProblem {
        UnitProblem("`\(path)` has no \(what) in front of line \(block.line)", form)
    }

    private static let form = "write each private key in PEM, then its certificate, then the intermediate ones"
}

extension Workload.AuthorityFile {
    init(text: String, path: String) throws(UnitProblem) {
        self.path = path
        certificates = try PEMFile.blocks(of: text, path).filter { $0.label == "CERTIFICATE" }.map(\.octets)
        guard !certificates.isEmpty else {
            throw UnitProblem("`\(path)` has no certificate", "write the authorities' certificates in PEM")
        }
    }
}

private enum PEMFile {
    static func blocks(of text: String, _ path: String) throws(UnitProblem) -> [PEM.Block] {
        do throws(PEM.Problem) {
            return try PEM.blocks(of: text)
        } catch {
            throw UnitProblem("`\(path)`, line \(error.line): \(error.text)")
        }
    }
}

extension Workload.IdentityFile {
    /// Reads CSV with the columns identity and psk, the second one optional; a cell with a comma stands in quotes.
    init(text: String, path: String) throws(UnitProblem) {
        self.path = path
        entries = []
        var number = 0
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            guard let cells = Self.cells(of: line) else {
                throw UnitProblem("`\(path)`, line \(number): a quotation mark has no end")
            }
            if cells == [""] || line.first == UInt8(ascii: "#") || number == 1 && cells[0] == "identity" { continue }
            guard cells.count <= 2, !cells[0].isEmpty else {
                throw UnitProblem("`\(path)`, line \(number): the columns are identity and psk")
            }
            guard !cells[0].utf8.contains(UInt8(ascii: "%")) else {
                throw UnitProblem("`\(path)`, line \(number): an identity of a file is one client's, and has no `%`")
            }
            entries.append(Entry(identity: cells[0], key: cells.count > 1 && !cells[1].isEmpty ? cells[1] : nil))
        }
        guard !entries.isEmpty else { throw UnitProblem("`\(path)` has no identity") }
        if let twice = Self.repeated(entries) { throw UnitProblem("`\(path)` has the identity \(twice) twice") }
    }

    private static func repeated(_ entries: [Entry]) -> String? {
        var seen: Set<String> = []
        seen.reserveCapacity(entries.count)
        return entries.first { !seen.insert($0.identity).inserted }?.identity
    }

    private static func cells(of line: Substring.UTF8View) -> [String]? {
        var cells: [String] = []
        var cell: [UInt8] = []
        var isQuoted = false
        for character in line where character != UInt8(ascii: "\r") {
            switch character {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: ",") where !isQuoted:
                cells.append(String(decoding: cell, as: UTF8.self))
                cell = []
            default: cell.append(character)
            }
        }
        guard !isQuoted else { return nil }
        cells.append(String(decoding: cell, as: UTF8.self))
        return cells.map(trimmed)
    }

    private static func trimmed(_ text: String) -> String {
        guard text.utf8.first == UInt8(ascii: " ") || text.utf8.last == UInt8(ascii: " ") else { return text }
        var text = text.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
