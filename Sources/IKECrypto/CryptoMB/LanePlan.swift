/// What is left to do for one request of a batch.
struct LanePlan: BitwiseCopyable {
    /// What comes next in lanes; nil where nothing does.
    var operation: LaneOperation?

    /// The request was to respond, and its key pair is made: it is one to finish now.
    var isResponse = false
}

/// The places of a batch whose requests share eight lanes.
struct Lanes: BitwiseCopyable {
    private var places = InlineArray<8, Int32>(repeating: 0)
    private(set) var count = 0

    var isFull: Bool { count == LaneOperation.laneCount }

    mutating func append(_ place: Int) {
        places[count] = Int32(place)
        count += 1
    }

    subscript(lane: Int) -> Int { Int(places[lane]) }
}

/// The lanes that were carried out.
struct DoneLanes: BitwiseCopyable {
    private let bits: UInt32

    init(bits: UInt32) { self.bits = bits }

    func contains(_ lane: Int) -> Bool { bits & 1 << UInt32(lane) != 0 }
}
