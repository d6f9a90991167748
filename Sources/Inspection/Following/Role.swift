/// One of the two ends of an IKE SA, by who began it.
package enum Role: String, Hashable, Sendable {
    case initiator
    case responder

    package var other: Role { self == .initiator ? .responder : .initiator }
}
