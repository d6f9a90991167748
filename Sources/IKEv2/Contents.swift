import IKEWire
import Primitives

/// The payloads that an exchange's message must have, in the RFC's notation without the brackets.
struct RequiredPayloads: OptionSet {
    let rawValue: UInt16

    static let securityAssociation = Self(rawValue: 1 << 0)
    static let keyExchange = Self(rawValue: 1 << 1)
    static let nonce = Self(rawValue: 1 << 2)
    static let initiatorIdentification = Self(rawValue: 1 << 3)
    static let responderIdentification = Self(rawValue: 1 << 4)
    static let authentication = Self(rawValue: 1 << 5)
    static let initiatorSelectors = Self(rawValue: 1 << 6)
    static let responderSelectors = Self(rawValue: 1 << 7)
    static let configuration = Self(rawValue: 1 << 8)
    static let eap = Self(rawValue: 1 << 9)

    // RFC 7296 sections 1.2 and 1.3: SAi1, KEi, Ni and so on.
    static let ikeSAInit: Self = [.securityAssociation, .keyExchange, .nonce]
    static let ikeAuthRequest: Self = [
        .initiatorIdentification, .authentication, .securityAssociation, .initiatorSelectors, .responderSelectors,
    ]
    static let ikeAuthResponse: Self = [.responderIdentification, .authentication]
    // RFC 7296 section 2.16: without AUTH the initiator asks for EAP.
    static let eapAuthRequest: Self = [
        .initiatorIdentification, .securityAssociation, .initiatorSelectors, .responderSelectors,
    ]
    static let childOfIKEAuth: Self = [.securityAssociation, .initiatorSelectors, .responderSelectors]
    static let createChild: Self = [.securityAssociation, .nonce, .initiatorSelectors, .responderSelectors]
    static let rekeyIKE: Self = [.securityAssociation, .nonce, .keyExchange]
}

/// Why a message's payloads cannot be taken.
enum ContentsError: Error, Equatable {
    case malformed(DecodeError)
    /// A payload whose sender insists that it be understood (RFC 7296 section 2.5).
    case unsupportedCritical(PayloadType)
}

/// The payloads of one message, in the clear, each found where it stands.
struct Contents: ~Copyable {
    private let octets: [UInt8]
    private let first: PayloadType
    private let start: Int
    private let end: Int
    let present: RequiredPayloads
    private let places: InlineArray<10, Place>

    private struct Place: BitwiseCopyable {
        var offset: Int32 = 0
        var byteCount: Int32 = -1
    }

    /// Finds the payloads of `octets[start..<end]`, the first of which is of type `first`.
    init(_ octets: consuming [UInt8], first: PayloadType, from start: Int, to end: Int) throws(ContentsError) {
        var places = InlineArray<10, Place>(repeating: Place())
        var present: RequiredPayloads = []
        var unsupported: PayloadType?
        do throws(DecodeError) {
            var sequence = PayloadSequence(first: first, bytes: octets.rawSpan.extracting(start..<end))
            while let payload = try sequence.next() {
                if let slot = Self.slot(of: payload.type) {
                    // Only some payloads may come twice; the first one counts for the rest.
                    guard places[slot].byteCount < 0 else { continue }
                    places[slot].offset = Int32(start + payload.bodyOffset)
                    places[slot].byteCount = Int32(payload.body.byteCount)
                    present.insert(RequiredPayloads(rawValue: 1 << UInt16(slot)))
                } else if payload.type == .notify {
                    _ = try Notify(payload.body)
                } else if payload.type == .delete {
                    _ = try Delete(payload.body)
                } else if payload.isCritical, !payload.type.isKnown {
                    unsupported = unsupported ?? payload.type
                }
            }
        } catch {
            throw .malformed(error)
        }
        if let unsupported { throw .unsupportedCritical(unsupported) }
        self.octets = octets
        self.first = first
        self.start = start
        self.end = end
        self.places = places
        self.present = present
    }

    private static func slot(of type: PayloadType) -> Int? {
        switch type {
        case .securityAssociation: 0
        case .keyExchange: 1
        case .nonce: 2
        case .identificationInitiator: 3
        case .identificationResponder: 4
        case .authentication: 5
        case .trafficSelectorsInitiator: 6
        case .trafficSelectorsResponder: 7
        case .configuration: 8
        case .eap: 9
        default: nil
        }
    }

    /// The body of the payload in a slot; empty when there is none.
    @_lifetime(borrow self)
    private func body(_ slot: Int) -> RawSpan {
        let place = places[slot]
        let offset = Int(place.offset)
        let span = octets.rawSpan.extracting(offset..<offset + Int(max(0, place.byteCount)))
        // SAFETY: the octets live as long as the contents do.
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    var securityAssociation: RawSpan {
        @_lifetime(borrow self) get { unsafe _overrideLifetime(body(0), borrowing: self) }
    }
    var keyExchange: RawSpan { @_lifetime(borrow self) get { unsafe _overrideLifetime(body(1), borrowing: self) } }
    var nonce: RawSpan { @_lifetime(borrow self) get { unsafe _overrideLifetime(body(2), borrowing: self) } }
    var initiatorIdentification: RawSpan {
        @_lifetime(borrow self) get { unsafe _overrideLifetime(body(3), borrowing: self) }
    }
    var responderIdentification: RawSpan {
        @_lifetime(borrow self) get { unsafe _overrideLifetime(body(4), borrowing: self) }
    }
    var authentication: RawSpan { @_lifetime(borrow self) get { unsafe _overrideLifetime(body(5), borrowing: self) } }
    var initiatorSelectors: RawSpan {
        @_lifetime(borrow self) get { unsafe _overrideLifetime(body(6), borrowing: self) }
    }
    var responderSelectors: RawSpan {
        @_lifetime(borrow self) get { unsafe _overrideLifetime(body(7), borrowing: self) }
    }
    var configuration: RawSpan { @_lifetime(borrow self) get { unsafe _overrideLifetime(body(8), borrowing: self) } }
    var eap: RawSpan { @_lifetime(borrow self) get { unsafe _overrideLifetime(body(9), borrowing: self) } }

    func has(_ required: RequiredPayloads) -> Bool { present.isSuperset(of: required) }

    /// The payloads again, for those that may come several times: Notify and Delete.
    var sequence: PayloadSequence {
        @_lifetime(borrow self)
        get {
            PayloadSequence(first: first, bytes: octets.rawSpan.extracting(start..<end))
        }
    }

    consuming func takeBuffer() -> [UInt8] { octets }

    /// The payloads octet for octet, and the type of the first one.
    var plaintext: (first: PayloadType, payloads: [UInt8]) { (first, Array(octets[start..<end])) }
}

extension Contents {
    /// Visits every Notify payload.
    func forEachNotify(_ body: (borrowing Notify) -> Void) {
        var payloads = sequence
        while let payload = try? payloads.next() {
            guard payload.type == .notify, let notify = try? Notify(payload.body) else { continue }
            body(notify)
        }
    }

    /// The first error notify (RFC 7296 section 3.10.1).
    var firstError: NotifyType? {
        var found: NotifyType?
        forEachNotify { notify in
            if found == nil, notify.type.isError { found = notify.type }
        }
        return found
    }

    func hasNotify(_ type: NotifyType) -> Bool {
        var found = false
        forEachNotify { notify in
            if notify.type == type { found = true }
        }
        return found
    }

    /// A copy of the data of the first notify of a type.
    func notifyData(_ type: NotifyType) -> [UInt8]? {
        var found: [UInt8]?
        forEachNotify { notify in
            if found == nil, notify.type == type { found = notify.data.copied() }
        }
        return found
    }

    /// The Child SA that REKEY_SA or CHILD_SA_NOT_FOUND names.
    func notifiedChild(_ type: NotifyType) -> ChildSPI? {
        var found: ChildSPI?
        forEachNotify { notify in
            if found == nil, notify.type == type { found = notify.childSPI }
        }
        return found
    }

    /// The key exchange method that INVALID_KE_PAYLOAD asks for (RFC 7296 section 1.2).
    var demandedKeyExchange: UInt16? {
        var found: UInt16?
        forEachNotify { notify in
            if found == nil, notify.type == .invalidKEPayload { found = notify.integer(as: UInt16.self) }
        }
        return found
    }
}
