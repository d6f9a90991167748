import BasicContainers
import IKEWire
import Primitives

// Overlapping messages in fragments: one is joined in the channel, the others wait here (RFC 7383 section 2.6).
extension IKESA {
    /// A request in the window of which some fragments have come.
    struct PartialRequest: Sendable {
        let id: MessageID
        let fragments: Reassembly
    }
}

extension IKESA.Established {
    /// Goes on joining the fragments of a request; those of the one before are put aside.
    mutating func joinFragments(of id: MessageID) {
        guard let windows, windows.joining != id else { return }
        if let last = windows.joining, let partial = channel.partialRequest.take() {
            windows.partials.append(IKESA.PartialRequest(id: last, fragments: partial.take()))
            windows.limitRequests()
        }
        windows.joining = id
        guard let index = windows.partials.firstIndex(where: { $0.id == id }) else { return }
        channel.partialRequest = Box(windows.partials.remove(at: index).fragments)
    }

    /// How many octets of messages that are not whole it keeps.
    var fragmentByteCount: Int {
        var byteCount = 0
        switch channel.partialRequest {
        case .some(let partial): byteCount += partial.value.byteCount
        case .none: break
        }
        switch channel.partialResponse {
        case .some(let partial): byteCount += partial.value.byteCount
        case .none: break
        }
        return byteCount + (windows.map { $0.requestByteCount + $0.responseByteCount } ?? 0)
    }
}

// What waits of one direction is no more than what is taken of one message. The latest messages make room: the window
// moves on with the earliest, and what is forgotten is sent again.
extension IKESA.Windows {
    var requestByteCount: Int { partials.reduce(0) { $0 + $1.fragments.byteCount } }

    var responseByteCount: Int {
        var byteCount = 0
        for index in 0..<flights.count { byteCount += flights[index].partialByteCount }
        return byteCount
    }

    func limitRequests() {
        while requestByteCount > Reassembly.mostOctets, let latest = partials.max(by: { $0.id < $1.id }) {
            partials.removeAll { $0.id == latest.id }
        }
    }

    func limitResponses() {
        while responseByteCount > Reassembly.mostOctets {
            var latest = 0
            for index in 0..<flights.count where flights[index].partialByteCount > 0 {
                let isLater = (flights[index].request?.id ?? .zero) > (flights[latest].request?.id ?? .zero)
                if isLater || flights[latest].partialByteCount == 0 { latest = index }
            }
            flights[latest].partialResponse = nil
        }
    }
}

extension IKESA.Flight {
    fileprivate var partialByteCount: Int {
        switch partialResponse {
        case .some(let partial): partial.value.byteCount
        case .none: 0
        }
    }
}
