import BasicContainers
package import IKEWire
package import IKEv2
package import Primitives

/// An IKE SA of a live run as this end sees it, for comparison with the gateway's own list.
package struct LiveAssociation: Hashable, Sendable {
    package struct Child: Hashable, Sendable {
        package var inbound: ChildSPI
        package var outbound: ChildSPI
    }

    package var identity: String
    /// Where its packets come from, as the network sees them.
    package var source: IPAddress
    package var target: IPAddress
    package var spis: IKESPIPair
    package var state: IKESA.StateName
    /// The Child SAs that are in use.
    package var children: [Child]
}

extension IKESA {
    /// The Child SAs that no successor has replaced.
    var activeChildren: [LiveAssociation.Child] {
        switch self {
        case .established(let state): state.activeChildren
        default: []
        }
    }
}

extension IKESA.Established {
    fileprivate var activeChildren: [LiveAssociation.Child] {
        var active: [LiveAssociation.Child] = []
        for index in 0..<children.count where children[index].status == .active {
            active.append(LiveAssociation.Child(inbound: children[index].inbound, outbound: children[index].outbound))
        }
        return active
    }
}
