import ESP
import Simulation

extension PacketDrop {
    /// As a reason of `traffic.lost`.
    var word: String {
        switch self {
        case .malformed: "malformed"
        case .unknownSPI: "unknown-spi"
        case .tooOld: "too-old"
        case .replayed: "replayed"
        case .badICV: "bad-icv"
        case .badPadding: "bad-padding"
        case .unknownNextHeader: "unknown-next-header"
        case .dummy: "dummy"
        }
    }
}

extension Link.DropReason {
    /// As a reason of `traffic.lost`.
    var word: String {
        switch self {
        case .pathDown: "path-down"
        case .overMTU: "over-mtu"
        case .queueFull: "queue-full"
        case .lost: "lost"
        }
    }
}
