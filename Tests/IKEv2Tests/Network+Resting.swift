import IKEv2

extension Network {
    /// Has an end rest, and be awake again at once.
    func rest(_ side: Side) {
        var endpoint = Endpoint(responding: .closed(.abandoned))
        switch side {
        case .initiator: swap(&endpoint, &initiator)
        case .responder:
            guard let present = responder.take() else { return }
            endpoint = present
        }
        var seat = EndpointSeat(endpoint)
        seat.rest(&turn)
        if seat.isResting { restCount += 1 }
        seat.wake(as: origins[side.rawValue])
        switch side {
        case .initiator: initiator = seat.take()
        case .responder: responder = seat.take()
        }
    }
}
