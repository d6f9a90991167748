import Foundation
import IKEWire
import Primitives
import Runner
import Synchronization
import UDPTransport
import Workers

/// A relay on loopback in front of a gateway, which may change or keep back what the gateway says: a peer that violates
/// the RFC where a relay can make it do so.
///
/// Its clients' addresses are hidden from the gateway, as by a NAT.
final class MeddlingRelay: Sendable {
    /// What becomes of a message of the gateway in the IKE SA of this number, counted from 0; nil keeps it back.
    typealias Meddling = @Sendable (_ message: [UInt8], _ number: Int) -> [UInt8]?

    let target: LiveTarget
    private let thread: PinnedThread
    private let isStopped: Flag

    private final class Flag: Sendable {
        let isSet = Atomic<Bool>(false)
        let ports = Mutex<(plain: UInt16, encapsulated: UInt16)?>(nil)
    }

    init(before gateway: LiveTarget, _ meddling: @escaping Meddling) throws {
        let flag = Flag()
        thread = try PinnedThread(cpu: nil) {
            defer { flag.isSet.store(true, ordering: .relaxed) }
            var relays = try [gateway.port, gateway.encapsulatedPort].map {
                try Relay(to: UDPEndpoint(address: gateway.address, port: $0))
            }
            let ports = (relays[0].listener.port, relays[1].listener.port)
            flag.ports.withLock { $0 = ports }
            var begun: [UInt64] = []
            while !flag.isSet.load(ordering: .relaxed) {
                var isIdle = true
                for index in relays.indices where try relays[index].pass(&begun, meddling) { isIdle = false }
                if isIdle { usleep(200) }
            }
        }
        isStopped = flag
        while !flag.isSet.load(ordering: .relaxed) {
            guard let ports = flag.ports.withLock({ $0 }) else { continue }
            target = LiveTarget(address: gateway.address, port: ports.plain, encapsulatedPort: ports.encapsulated)
            return
        }
        target = gateway
        try thread.join()
    }

    deinit {
        isStopped.isSet.store(true, ordering: .relaxed)
        do { try thread.join() } catch { fatalError("the relay stopped: \(error)") }
    }
}

/// One port of the gateway, and the clients that send to it.
private struct Relay {
    private let gateway: UDPEndpoint
    let listener: Plug
    private var ways: [(client: UDPEndpoint, plug: Plug)] = []

    init(to gateway: UDPEndpoint) throws {
        self.gateway = gateway
        listener = try Plug(gateway.address)
    }

    /// Passes on what there is in both directions.
    ///
    /// - Returns: whether there was anything.
    mutating func pass(_ begun: inout [UInt64], _ meddling: MeddlingRelay.Meddling) throws -> Bool {
        var wasBusy = false
        for (source, octets) in try listener.receive() {
            wasBusy = true
            if let spi = Self.spi(octets), octets[18] == ExchangeType.ikeSAInit.rawValue, !begun.contains(spi) {
                begun.append(spi)
            }
            if !ways.contains(where: { $0.client == source }) {
                ways.append((client: source, plug: try Plug(gateway.address)))
            }
            try ways.first { $0.client == source }?.plug.send(octets, to: gateway)
        }
        for way in ways {
            for (_, octets) in try way.plug.receive() {
                wasBusy = true
                let marker = Array(octets.prefix { $0 == 0 }.prefix(4))
                let message = marker.count == 4 ? Array(octets.dropFirst(4)) : octets
                guard let spi = Self.spi(message), let number = begun.firstIndex(of: spi) else {
                    try listener.send(octets, to: way.client)
                    continue
                }
                guard let changed = meddling(message, number) else { continue }
                try listener.send((marker.count == 4 ? marker : []) + changed, to: way.client)
            }
        }
        return wasBusy
    }

    /// The initiator's SPI of a message.
    private static func spi(_ octets: [UInt8]) -> UInt64? {
        guard octets.count >= Header.byteCount else { return nil }
        return octets.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// A socket of the relay's.
private final class Plug {
    private var socket: UDPSocket
    private var incoming: ReceiveBatch
    private var outgoing: TransmitBatch
    private let clock = MonotonicClock()

    init(_ address: IPAddress) throws {
        socket = try UDPSocket(bindingTo: UDPEndpoint(address: address, port: 0), allowance: .loopback)
        incoming = try ReceiveBatch()
        outgoing = try TransmitBatch()
    }

    var port: UInt16 { socket.local.port }

    func receive() throws -> [(source: UDPEndpoint, octets: [UInt8])] {
        let count = try socket.receive(into: &incoming, clock: clock)
        var datagrams: [(source: UDPEndpoint, octets: [UInt8])] = []
        for index in 0..<count { datagrams.append((incoming[index].source, incoming.bytes(at: index).copied())) }
        return datagrams
    }

    func send(_ octets: [UInt8], to destination: UDPEndpoint) throws {
        guard outgoing.append(octets.rawSpan, to: destination), socket.send(&outgoing) else {
            throw SocketFull(destination: destination)
        }
    }

    struct SocketFull: Error { let destination: UDPEndpoint }
}
