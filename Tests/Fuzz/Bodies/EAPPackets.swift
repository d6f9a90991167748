import EAP
import IKECrypto
import Primitives

/// Takes any octets as packets that come to one end of an EAP conversation.
///
/// The first octet chooses a peer (0) or an authenticator that begins with one method (1 to 4). Packets follow, each
/// behind its length in two octets. A machine must take each in its stride, and the same way the second time.
package func fuzzEAP(_ input: [UInt8]) {
    guard let choice = input.first, choice <= 4 else { return }
    let packets = packets(in: input)
    for packet in packets { checkCodec(packet) }
    let first = unsafe talk(choice, packets, cryptography)
    let second = unsafe talk(choice, packets, cryptography)
    precondition(first == second, "the same packets have the same answers")
}

private func talk(_ choice: UInt8, _ packets: [[UInt8]], _ cryptography: borrowing Cryptography) -> [[UInt8]] {
    choice == 0 ? peer(packets, cryptography) : authenticator(choice, packets, cryptography)
}

// SAFETY: a target is called on one thread. EAP is real with either backend; this one is made quickly.
nonisolated(unsafe) private let cryptography: Cryptography = {
    let seed = [UInt8](repeating: 0, count: 32)
    guard let cryptography = try? Cryptography(backend: .modelled, seed: seed.rawSpan) else {
        preconditionFailure("libcrypto has what it always has")
    }
    return cryptography
}()

private let password = Array("secret ☃".utf8)
private let client = Certificates.configuration(.client)
private let server = Certificates.configuration(.server)

private func packets(in input: [UInt8]) -> [[UInt8]] {
    var reader = ByteReader(input.rawSpan)
    var packets: [[UInt8]] = []
    try? reader.skip(1)
    while let length = try? reader.readInteger(as: UInt16.self), let packet = try? reader.read(Int(length)) {
        packets.append(packet.copied())
    }
    return packets
}

/// What decodes must encode to octets that decode to the same.
private func checkCodec(_ octets: [UInt8]) {
    guard let packet = try? EAPPacket(octets.rawSpan) else { return }
    var writer = ByteWriter()
    if let type = packet.type {
        let data = packet.data.copied()
        writer.eap(packet.code, identifier: packet.identifier, type: type) { $0.write(data) }
    } else {
        writer.eap(packet.code, identifier: packet.identifier)
    }
    let again = writer.bytes
    precondition(Array(octets.prefix(again.count)) == again, "a packet is what it decodes to")
}

private func peer(_ packets: [[UInt8]], _ cryptography: borrowing Cryptography) -> [[UInt8]] {
    var credentials: [EAPCredential] = [
        .md5Challenge(password: password), .gtc(password: password), .mschapv2(password: password),
    ]
    if let client { credentials.append(.tls(client)) }
    var peer = EAPPeer(
        EAPPeerSettings(
            identity: Array("user@example.org".utf8),
            credentials: credentials,
            fragmentByteCount: 400
        ),
        stream: KeyMaterialStream(entity: 1),
        unixTime: 1_830_000_000
    )
    var answers: [[UInt8]] = []
    var writer = ByteWriter()
    for packet in packets {
        _ = peer.receive(packet.rawSpan, cryptography: cryptography, into: &writer)
        answers.append(writer.bytes)
    }
    return answers
}

private func authenticator(
    _ choice: UInt8,
    _ packets: [[UInt8]],
    _ cryptography: borrowing Cryptography
) -> [[UInt8]] {
    var methods: [EAPMethodOffer] = [.md5Challenge, .gtc, .mschapv2]
    if let server { methods.append(.tls(server)) }
    methods.swapAt(0, min(Int(choice) - 1, methods.count - 1))
    var authenticator = EAPAuthenticator(
        EAPAuthenticatorSettings(
            methods: methods,
            name: Array("gw.example.org".utf8),
            fragmentByteCount: 400
        ),
        stream: KeyMaterialStream(entity: 2),
        unixTime: 1_830_000_000
    )
    var writer = ByteWriter()
    _ = authenticator.begin(cryptography: cryptography, into: &writer)
    var requests = [writer.bytes]
    for packet in packets {
        _ = authenticator.receive(
            packet.rawSpan,
            cryptography: cryptography,
            password: { _ in password },
            into: &writer
        )
        requests.append(writer.bytes)
    }
    return requests
}
