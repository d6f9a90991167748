import Primitives

/// The work that waits for a core: first come, first served within a priority.
///
/// A job whose half is busy is passed over: it is *parked* with the half and returned to its place when the half is
/// free. Everything that was parked came before what is still in `fresh`, so returned jobs of a priority go first.
struct ReceiveQueue: Sendable {
    /// All jobs, running ones among them; free slots are chained by `next`.
    private var jobs: [Job] = []
    private var firstFree = Job.none
    private var fresh = InlineArray<4, JobList>(repeating: JobList())
    private var returned = InlineArray<4, JobList>(repeating: JobList())
    private var nextSequence: UInt64 = 0
    /// How many jobs wait, timers among them.
    private(set) var waitingCount = 0
    private(set) var packetCount = 0
    private(set) var byteCount = 0

    var indices: Range<UInt32> { 0..<UInt32(jobs.count) }

    subscript(index: UInt32) -> Job {
        get { jobs[Int(index)] }
        _modify { yield &jobs[Int(index)] }
    }

    mutating func append(_ job: Job) {
        let index = store(job)
        jobs[Int(index)].sequence = nextSequence
        nextSequence += 1
        waitingCount += 1
        if job.hasPacket {
            packetCount += 1
            byteCount += Int(job.byteCount)
        }
        fresh[Int(job.priority.rawValue)].append(index, in: &jobs)
    }

    /// Takes the first job out of the lists; it counts as waiting until `start` or `free` is called for it.
    mutating func takeFirst() -> UInt32? {
        for priority in 0..<4 {
            if let index = returned[priority].popFirst(in: jobs) { return index }
            if let index = fresh[priority].popFirst(in: jobs) { return index }
        }
        return nil
    }

    /// Puts a job that was taken aside, in front of the list that begins with `parked`.
    mutating func park(_ index: UInt32, before parked: inout UInt32) {
        jobs[Int(index)].next = parked
        parked = index
    }

    /// Gives a list of parked jobs their places back.
    mutating func unpark(_ parked: inout UInt32) {
        while parked != Job.none {
            let index = parked
            parked = jobs[Int(index)].next
            returned[Int(jobs[Int(index)].priority.rawValue)].insert(index, in: &jobs)
        }
    }

    /// A job that was taken no longer waits.
    mutating func start(_ index: UInt32) {
        jobs[Int(index)].isRunning = true
        waitingCount -= 1
        if jobs[Int(index)].hasPacket {
            packetCount -= 1
            byteCount -= Int(jobs[Int(index)].byteCount)
        }
    }

    /// Forgets a job that was taken and that will not start, or one that has ended.
    mutating func free(_ index: UInt32) {
        if !jobs[Int(index)].isRunning { start(index) }
        jobs[Int(index)].isLive = false
        jobs[Int(index)].next = firstFree
        firstFree = index
    }

    /// Forgets all jobs, waiting and running.
    mutating func removeAll() {
        jobs.removeAll(keepingCapacity: true)
        firstFree = Job.none
        fresh = InlineArray(repeating: JobList())
        returned = InlineArray(repeating: JobList())
        waitingCount = 0
        packetCount = 0
        byteCount = 0
    }

    private mutating func store(_ job: Job) -> UInt32 {
        guard firstFree != Job.none else {
            jobs.append(job)
            return UInt32(jobs.count - 1)
        }
        let index = firstFree
        firstFree = jobs[Int(index)].next
        jobs[Int(index)] = job
        return index
    }
}

/// Jobs in order, chained by `next`.
private struct JobList: BitwiseCopyable {
    private var head = Job.none
    private var tail = Job.none

    mutating func append(_ index: UInt32, in jobs: inout [Job]) {
        jobs[Int(index)].next = Job.none
        if tail == Job.none { head = index } else { jobs[Int(tail)].next = index }
        tail = index
    }

    mutating func popFirst(in jobs: [Job]) -> UInt32? {
        let index = head
        guard index != Job.none else { return nil }
        head = jobs[Int(index)].next
        if head == Job.none { tail = Job.none }
        return index
    }

    /// Inserts by sequence; most often that is at the end.
    mutating func insert(_ index: UInt32, in jobs: inout [Job]) {
        let sequence = jobs[Int(index)].sequence
        guard tail != Job.none, sequence < jobs[Int(tail)].sequence else { return append(index, in: &jobs) }
        guard sequence > jobs[Int(head)].sequence else {
            jobs[Int(index)].next = head
            head = index
            return
        }
        var before = head
        while jobs[Int(jobs[Int(before)].next)].sequence < sequence { before = jobs[Int(before)].next }
        jobs[Int(index)].next = jobs[Int(before)].next
        jobs[Int(before)].next = index
    }
}
