/// Names an element of a `SlotTable`: its place, and how often the place had been used.
public struct SlotID: Hashable, Comparable, Sendable, BitwiseCopyable {
    public let index: UInt32
    public let generation: UInt32

    @inlinable
    public init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    /// Both halves in one word, as an `SPITable` or an event carries them.
    @inlinable
    public init(packed: UInt64) {
        self.init(index: UInt32(truncatingIfNeeded: packed), generation: UInt32(packed >> 32))
    }

    @inlinable public var packed: UInt64 { UInt64(generation) << 32 | UInt64(index) }

    @inlinable
    public static func < (left: SlotID, right: SlotID) -> Bool {
        (left.index, left.generation) < (right.index, right.generation)
    }
}

/// Elements that live in place until they are removed, named by slot and generation.
///
/// Storage grows by pages of about 64 KiB: no element ever moves, and a million of them need no second copy of
/// themselves while the table grows. A generation is odd while its slot is in use.
@safe
public struct SlotTable<Element: ~Copyable>: ~Copyable {
    @usableFromInline
    struct Slot: BitwiseCopyable {
        @usableFromInline var generation: UInt32
        /// The next free slot's index, while this one is free.
        @usableFromInline var nextFree: UInt32

        @inlinable
        init(generation: UInt32, nextFree: UInt32) {
            self.generation = generation
            self.nextFree = nextFree
        }
    }

    @usableFromInline var slots: [Slot] = []
    @usableFromInline var pages: [UnsafeMutablePointer<Element>] = unsafe []
    @usableFromInline var firstFree: UInt32 = .max
    @usableFromInline let pageShift: UInt32
    @usableFromInline var liveCount = 0

    @inlinable
    public init() {
        var shift: UInt32 = 4
        while shift < 12 && MemoryLayout<Element>.stride << Int(shift + 1) <= 65_536 { shift += 1 }
        pageShift = shift
    }

    @inlinable
    deinit {
        for index in slots.indices where slots[index].generation & 1 == 1 {
            _ = unsafe address(of: UInt32(index)).deinitialize(count: 1)
        }
        for page in 0..<(unsafe pages.count) { unsafe pages[page].deallocate() }
    }

    @inlinable public var count: Int { liveCount }

    @inlinable public var isEmpty: Bool { liveCount == 0 }

    /// One more than the highest index ever used: the end of `id(at:)`.
    @inlinable public var indexLimit: UInt32 { UInt32(truncatingIfNeeded: slots.count) }

    @inlinable
    public func contains(_ id: SlotID) -> Bool {
        id.index < indexLimit && slots[Int(id.index)].generation == id.generation && id.generation & 1 == 1
    }

    /// The element in use at an index, for going over all of them in order.
    @inlinable
    public func id(at index: UInt32) -> SlotID? {
        let generation = slots[Int(index)].generation
        return generation & 1 == 1 ? SlotID(index: index, generation: generation) : nil
    }

    /// Puts an element into the slot that was freed last, or into a new one.
    @inlinable
    public mutating func insert(_ element: consuming Element) -> SlotID {
        let index: UInt32
        if firstFree != .max {
            index = firstFree
            firstFree = slots[Int(index)].nextFree
        } else {
            precondition(slots.count < Int(UInt32.max), "a table has fewer than 2^32 - 1 slots")
            index = UInt32(slots.count)
            slots.append(Slot(generation: 0, nextFree: .max))
            if unsafe index >> pageShift == pages.count {
                unsafe pages.append(.allocate(capacity: 1 << Int(pageShift)))
            }
        }
        slots[Int(index)].generation &+= 1
        liveCount += 1
        unsafe address(of: index).initialize(to: element)
        return SlotID(index: index, generation: slots[Int(index)].generation)
    }

    /// Takes an element out; nil where the name is of one that has gone.
    @inlinable
    public mutating func remove(_ id: SlotID) -> Element? {
        guard contains(id) else { return nil }
        slots[Int(id.index)].generation &+= 1
        slots[Int(id.index)].nextFree = firstFree
        firstFree = id.index
        liveCount -= 1
        return unsafe address(of: id.index).move()
    }

    /// The element in place; traps where it has gone, ask `contains` first where that may be.
    @inlinable
    public subscript(id: SlotID) -> Element {
        unsafeAddress {
            precondition(contains(id), "the slot still holds the element that is asked for")
            return unsafe UnsafePointer(address(of: id.index))
        }
        unsafeMutableAddress {
            precondition(contains(id), "the slot still holds the element that is asked for")
            return unsafe address(of: id.index)
        }
    }

    @inlinable
    func address(of index: UInt32) -> UnsafeMutablePointer<Element> {
        unsafe pages[Int(index >> pageShift)] + Int(index & (1 << pageShift - 1))
    }
}

// The table owns its pages as an array owns its buffer: whoever has the table has them alone.
extension SlotTable: @unchecked Sendable where Element: Sendable & ~Copyable {}
