import CPrefetch

/// The memory of an event queue: chunks of 16 events, linked by index, handed out and taken back without allocation.
///
/// A slot of the wheel is a list of chunks: contiguous enough to be fast, and free memory serves whichever slot needs
/// it next, where an array per slot would keep its largest size for good.
@safe
@usableFromInline
struct EventChunks: ~Copyable {
    @inlinable static var chunkSize: Int { 16 }
    @inlinable static var pageShift: UInt32 { 5 }
    @inlinable static var none: UInt32 { .max }

    @usableFromInline var pages: PlainArray<UnsafeMutablePointer<Event>> = unsafe PlainArray()
    /// For each chunk, the next of its list.
    @usableFromInline var next = PlainArray<UInt32>()
    @usableFromInline var firstFree = UInt32.max

    @inlinable
    init() {}

    @inlinable
    deinit {
        for page in 0..<(unsafe pages.count) { unsafe pages[page].deallocate() }
    }

    /// How many bytes the pages take.
    @inlinable var byteCount: Int {
        unsafe pages.count * (Self.chunkSize << Int(Self.pageShift)) * MemoryLayout<Event>.stride
    }

    /// Takes a free chunk and puts it before `following`.
    @inlinable
    mutating func take(before following: UInt32) -> UInt32 {
        if firstFree == Self.none { addPage() }
        let chunk = firstFree
        firstFree = next[Int(chunk)]
        next[Int(chunk)] = following
        return chunk
    }

    /// Gives a chunk back, and answers the one that followed it.
    @inlinable
    mutating func release(_ chunk: UInt32) -> UInt32 {
        let following = next[Int(chunk)]
        next[Int(chunk)] = firstFree
        firstFree = chunk
        return following
    }

    @usableFromInline
    mutating func addPage() {
        let count = 1 << Int(Self.pageShift)
        let base = UInt32(next.count)
        unsafe pages.append(.allocate(capacity: count * Self.chunkSize))
        for chunk in base..<(base + UInt32(count)) { next.append(chunk + 1) }
        next[next.count - 1] = firstFree
        firstFree = base
    }

    /// Has the chunk behind one fetched while that one is gone through: it may not have been looked at for long.
    @usableFromInline
    func prefetch(behind chunk: UInt32) {
        let following = next[Int(chunk)]
        guard following != Self.none else { return }
        let start = unsafe UnsafeRawPointer(address(of: following))
        for offset in stride(from: 0, to: Self.chunkSize * MemoryLayout<Event>.stride, by: 64) {
            unsafe prefetch_line(start + offset)
        }
    }

    @inlinable
    func event(_ index: Int, of chunk: UInt32) -> Event {
        unsafe (address(of: chunk) + index).pointee
    }

    @inlinable
    func set(_ event: Event, at index: Int, of chunk: UInt32) {
        unsafe (address(of: chunk) + index).initialize(to: event)
    }

    @inlinable
    func address(of chunk: UInt32) -> UnsafeMutablePointer<Event> {
        unsafe pages[Int(chunk >> Self.pageShift)] + Int(chunk & (1 << Self.pageShift - 1)) * Self.chunkSize
    }
}

// The chunks own their pages as an array owns its buffer: whoever has them has them alone.
extension EventChunks: @unchecked Sendable {}
