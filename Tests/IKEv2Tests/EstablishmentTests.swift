import IKEWire
import IKEv2
import Primitives
import Testing

@Suite("An IKE SA is established")
struct EstablishmentTests {
    @Test("IKE_SA_INIT and IKE_AUTH establish the IKE SA and its first Child SA at both ends")
    func establishes() {
        var network = Network()
        network.run(for: .seconds(1))
        #expect(network.initiator.current.stateName == .established)
        #expect(network.responder?.current.stateName == .established)
        #expect(network.wire.count == 4)
        #expect(network.reports[0].contains(.addressAssigned(IPAddress("10.128.0.7")!)))
    }
}
