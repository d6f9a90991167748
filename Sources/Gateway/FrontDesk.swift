package import Primitives
package import Simulation

package struct FrontDesk: ~Copyable, SimulatedPart {
    package typealias Message = GatewayMessage
    package private(set) var digest = EntityDigest()
    package private(set) var log: WindowLog?

    package init(_ settings: FrontDeskSettings) {}

    package var nextTime: Instant { .never }

    package mutating func accept(_ messages: [GatewayMessage]) {}

    package mutating func run(before limit: Instant, into outbox: inout Outbox<GatewayMessage>) -> Int { 0 }
}
