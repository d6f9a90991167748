/// Where an endpoint is: in a place of its own while something goes on, and packed while nothing does.
///
/// What is simulated by the million is idle nearly always. An endpoint at rest takes a third of one that is awake, and
/// neither its peer nor any result can tell whether it was.
package struct EndpointSeat: ~Copyable {
    private var awake: Box<Endpoint>?
    private var resting: RestingEndpoint?

    package init(_ endpoint: consuming Endpoint) {
        awake = Box(endpoint)
    }

    /// The endpoint, which has to be awake.
    package var endpoint: Endpoint {
        // SAFETY: the box is the seat's own, and its value stays where it is for as long as the seat is lent.
        unsafeAddress { unsafe UnsafePointer(place) }
        unsafeMutableAddress { unsafe place }
    }

    private var place: UnsafeMutablePointer<Endpoint> {
        switch awake {
        case .some(let box): unsafe box.pointer
        case .none: preconditionFailure("an endpoint at rest is woken before anybody looks at it")
        }
    }

    package var isResting: Bool { awake == nil }

    /// Packs the endpoint, if nothing goes on that would not fit.
    package mutating func rest(_ turn: inout Turn) {
        guard !isResting else { return }
        resting = RestingEndpoint(endpoint, &turn)
        if resting != nil { awake = nil }
    }

    /// Has the endpoint be as it was before its rest; one that is awake stays so.
    ///
    /// - Parameter origin: the sources of chance of the end whose endpoint it is, of whichever attempt.
    package mutating func wake(as origin: @autoclosure () -> Origin) {
        guard isResting, let packed = resting.take() else { return }
        awake = Box(packed.unpack(as: origin()))
    }

    /// The endpoint by itself; it has to be awake.
    package consuming func take() -> Endpoint {
        guard let box = awake.take() else {
            preconditionFailure("an endpoint at rest is woken before it goes elsewhere")
        }
        return box.take()
    }
}
