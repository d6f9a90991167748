import IKECrypto
import IKEWire
import IKEv2
import Primitives
import Testing

@Suite("An IKE SA is established")
struct EstablishmentTests {
    @Test("IKE_SA_INIT and IKE_AUTH establish the IKE SA and its first Child SA at both ends")
    func establishes() {
        tell { network in
            network.run(for: .seconds(1))
            expectStory(
                network,
                """
                --> HDR, SAi1, KEi, Ni, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)
                <-- HDR, SAr1, KEr, Nr, N(NAT_DETECTION_SOURCE_IP), N(NAT_DETECTION_DESTINATION_IP)
                --> HDR, SK {IDi, IDr, AUTH, CP(CFG_REQUEST), SAi2, TSi, TSr}
                <-- HDR, SK {IDr, AUTH, CP(CFG_REPLY), SAr2, TSi, TSr}
                """
            )
            #expect(network.situation(of: .initiator) == "established")
            #expect(network.situation(of: .responder) == "established")
            #expect(network.children(of: .initiator).count == 1)
            #expect(network.reports[0].contains(.addressAssigned(IPAddress("10.128.0.7")!)))
        }
    }
}
