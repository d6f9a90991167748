package import Primitives
package import Workers

/// How a live run is made, beside what the workload says.
package struct LiveOptions: Sendable {
    /// What arrivals, paths and jitter are drawn from; nil is the workload's own.
    package var seed: UInt64?
    package var workers = 1
    package var placement = Placement.spread
    /// Where the clients' packets come from, in place of the populations' `sources` (`--sources`).
    package var sources: [IPPrefix] = []
    /// Outer targets that are allowed beside the workload's `allow-targets` (`--allow-target`).
    package var allowedTargets: [IPAddress] = []
    /// The folder of the run's files: control, keys of live SAs, what was touched; nil keeps none of them.
    package var folder: String?
    /// Every input of every client is written to the folder, so that the run can be replayed (`--record`).
    package var records = false
    /// What computes public-key operations. A run that is recorded computes one at a time, since what comes of each
    /// input is noted before the next.
    package var library = PublicKeyLibrary.openSSL
    /// How long workers let more come before they look again, up to 100 ms. Batches are fuller then and cost less, and
    /// everything is late by as much at most, which the generator's lag has in it.
    package var batchWait: Duration = .zero
    /// How long Deletes may take at the end.
    package var drainLimit: Duration = .seconds(30)
    package var interrupt: Interrupt?
    /// Called when the load has ended and before any SA is deleted, with the SAs that there are.
    package var beforeDrain: (@Sendable ([LiveAssociation]) -> Void)?
    /// The machine-wide allowance, which only tests move elsewhere.
    package var allowanceFile = "/etc/ikestorm/safety.yaml"

    package init() {}
}
