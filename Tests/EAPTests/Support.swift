import EAP
import Foundation
import IKECrypto
import Primitives
import Testing

/// The octets of a hexadecimal text; white space does not count.
func hex(_ text: String) -> [UInt8] { try! Hexadecimal.decode(text) }

func utf8(_ text: String) -> [UInt8] { Array(text.utf8) }

/// EAP is real with every backend; the modelled one is made quickly.
func cryptography(_ backend: CryptoBackend = .modelled, seed: UInt8 = 0) throws -> Cryptography {
    let seed = [UInt8](repeating: seed, count: 32)
    return try Cryptography(backend: backend, seed: seed.rawSpan)
}

/// How a machine's conversation ended.
enum Ending: Equatable {
    case open
    case succeeded(EAPType, msk: [UInt8])
    case failed(EAPFailure)
}

/// What a machine said to a packet, as a value that can be compared.
enum Saying: Equatable {
    case replied
    case dropped(EAPDropReason)
    case ended(Ending)

    init(_ progress: consuming EAPProgress) {
        switch consume progress {
        case .replied: self = .replied
        case .dropped(let reason): self = .dropped(reason)
        case .succeeded(let success): self = .ended(Self.ending(success))
        case .failed(let failure): self = .ended(.failed(failure))
        }
    }

    private static func ending(_ success: consuming EAPSuccess) -> Ending {
        let method = success.method
        let msk = success.takeMSK()
        return .succeeded(method, msk: msk.bytes.copied())
    }
}

/// A peer and an authenticator that talk in memory.
struct Conversation: ~Copyable {
    static let name = utf8("user@example.org")
    static let password = utf8("secret ☃")
    /// In the years of the test certificates.
    static let moment: Int64 = 1_830_000_000

    var peer: EAPPeer
    var authenticator: EAPAuthenticator
    let crypto: Cryptography
    let password: [UInt8]?
    private(set) var peerEnding = Ending.open
    private(set) var authenticatorEnding = Ending.open
    /// Every packet that was sent, the authenticator's at even places.
    private(set) var packets: [[UInt8]] = []
    private var buffer = ByteWriter()

    init(
        _ credentials: [EAPCredential],
        _ methods: [EAPMethodOffer],
        password: [UInt8]? = Self.password,
        identity: [UInt8]? = nil,
        fragmentByteCount: Int = 1024,
        seed: UInt8 = 0,
        backend: CryptoBackend = .modelled,
        unixTime: Int64 = Self.moment
    ) throws {
        peer = EAPPeer(
            EAPPeerSettings(identity: Self.name, credentials: credentials, fragmentByteCount: fragmentByteCount),
            stream: KeyMaterialStream(entity: 1),
            unixTime: unixTime
        )
        authenticator = EAPAuthenticator(
            EAPAuthenticatorSettings(
                methods: methods,
                name: utf8("gw.example.org"),
                fragmentByteCount: fragmentByteCount
            ),
            identity: identity,
            stream: KeyMaterialStream(entity: 2),
            unixTime: unixTime
        )
        crypto = try cryptography(backend, seed: seed)
        self.password = password
    }

    mutating func begin() -> [UInt8] {
        _ = Saying(authenticator.begin(cryptography: crypto, into: &buffer))
        packets.append(buffer.bytes)
        return buffer.bytes
    }

    /// Hands a packet to the peer; what it answers, or nothing.
    mutating func toPeer(_ packet: [UInt8]) -> (saying: Saying, answer: [UInt8]) {
        let saying = Saying(peer.receive(packet.rawSpan, cryptography: crypto, into: &buffer))
        if case .ended(let ending) = saying { peerEnding = ending }
        if buffer.count > 0 { packets.append(buffer.bytes) }
        return (saying, buffer.bytes)
    }

    /// Hands a packet to the authenticator; what it says next, or nothing.
    mutating func toAuthenticator(_ packet: [UInt8]) -> (saying: Saying, request: [UInt8]) {
        let password = password
        let saying = Saying(
            authenticator.receive(packet.rawSpan, cryptography: crypto, password: { _ in password }, into: &buffer)
        )
        if case .ended(let ending) = saying { authenticatorEnding = ending }
        if buffer.count > 0 { packets.append(buffer.bytes) }
        return (saying, buffer.bytes)
    }

    /// Lets both talk until nobody has anything to say, from a packet of the authenticator on.
    mutating func run(from request: [UInt8]) {
        var request = request
        while !request.isEmpty {
            let (_, answer) = toPeer(request)
            guard !answer.isEmpty else { return }
            request = toAuthenticator(answer).request
        }
    }

    mutating func run() {
        let first = begin()
        run(from: first)
    }

    /// The types of all Requests and Responses, in their order.
    var story: String {
        packets.map { packet in
            let arrow = packet[0] == 1 || packet[0] > 2 ? "<-" : "->"
            switch packet[0] {
            case 3: return "\(arrow) success"
            case 4: return "\(arrow) failure"
            default: return "\(arrow) \(EAPType(rawValue: packet[4]))"
            }
        }.joined(separator: " ")
    }
}

/// The files of Vectors.
func vector(_ name: String) throws -> [UInt8] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors")
    return [UInt8](try Data(contentsOf: folder.appending(path: name)))
}

/// The client or the server of EAP-TLS, with keys of a kind.
func tls(
    _ role: TLSRole,
    _ kind: String = "ec",
    trusting anchor: String = "ca",
    peerName: String? = nil,
    versions: ClosedRange<TLSVersion> = .tls12...(.tls13)
) throws -> TLSConfiguration {
    let end = role == .client ? "client" : "server"
    return try TLSConfiguration(
        role: role,
        chain: try vector("\(end)-\(kind).pem"),
        key: try vector("\(end)-\(kind).key"),
        trustAnchors: try vector("\(anchor).pem"),
        peerName: peerName ?? (role == .client ? "gw.example.org" : nil),
        versions: versions
    )
}
