import IKECrypto
import Primitives
import RADIUS

/// Takes any octets as a datagram that comes to a client, and that anybody may have sent.
///
/// What decodes must encode to octets that decode to the same, and no datagram is an answer: each is forged.
package func fuzzRADIUS(_ input: [UInt8]) {
    check(input, unsafe cryptography)
}

private func check(_ input: [UInt8], _ cryptography: borrowing Cryptography) {
    checkPacket(input, cryptography)
    var client = RADIUSClient(settings, stream: KeyMaterialStream(entity: 1))
    var output = RADIUSOutput()
    let request = AccessRequest(userName: [0x61], eapMessage: [2, 0, 0, 5, 1])
    for owner: UInt64 in 0..<2 {
        _ = client.send(request, owner: owner, at: .zero, cryptography: cryptography, into: &output)
    }
    switch client.receive(input.rawSpan, from: server, on: 1645, at: .zero, cryptography: cryptography) {
    case .answer: preconditionFailure("nobody knows the secret")
    case .dropped: precondition(client.inFlightCount == 2, "what is dropped changes nothing")
    }
}

// SAFETY: a target is called on one thread. RADIUS is real with either backend; this one is made quickly.
nonisolated(unsafe) private let cryptography: Cryptography = {
    let seed = [UInt8](repeating: 0, count: 32)
    guard let cryptography = try? Cryptography(backend: .modelled, seed: seed.rawSpan) else {
        preconditionFailure("libcrypto has what it always has")
    }
    return cryptography
}()

private let server = UDPEndpoint(address: IPAddress(v4: 0x7F00_0001), port: 1812)

private let settings = RADIUSClientSettings(
    servers: [RADIUSServer(endpoint: server, secret: Array("never to be guessed".utf8))],
    nas: NASIdentification(identifier: [0x62]),
    sourcePorts: [1645]
)

private func checkPacket(_ octets: [UInt8], _ cryptography: borrowing Cryptography) {
    guard let packet = try? RADIUSPacket(octets.rawSpan) else { return }
    var writer = ByteWriter()
    var attributes = packet.attributes
    while let attribute = try? attributes.advance() { writer.attribute(attribute.type, attribute.value.copied()) }
    precondition(writer.bytes == packet.attributeOctets.copied(), "attributes are what they decode to")
    let authenticator = packet.authenticator.copied()
    for secret in [[UInt8]("test-only".utf8), []] {
        if let msk = try? packet.msk(requestAuthenticator: authenticator, secret: secret, cryptography) {
            precondition(msk.isEmpty || msk.count == 64, "an MSK has 64 octets")
        }
        _ = packet.hasMessageAuthenticator(requestAuthenticator: authenticator, secret: secret, cryptography)
    }
    precondition(packet.eapMessage.count < RADIUSPacket.maximumByteCount, "what is in a packet fits a packet")
}
