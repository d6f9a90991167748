/// An array of plain data with one owner: what an `Array` is without asking, at each store, who else holds it.
@safe
@usableFromInline
struct PlainArray<Element: BitwiseCopyable>: ~Copyable {
    @usableFromInline var base: UnsafeMutablePointer<Element>
    @usableFromInline private(set) var capacity: Int
    @usableFromInline var count = 0

    @inlinable
    init() {
        unsafe base = .allocate(capacity: 1)
        capacity = 1
    }

    /// So many copies of one element.
    @inlinable
    init(repeating element: Element, count: Int) {
        unsafe base = .allocate(capacity: max(1, count))
        unsafe base.initialize(repeating: element, count: count)
        capacity = max(1, count)
        self.count = count
    }

    @inlinable
    deinit { unsafe base.deallocate() }

    @inlinable var isEmpty: Bool { count == 0 }

    @inlinable
    subscript(_ index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count, "an index is within the array")
            return unsafe base[index]
        }
        set {
            precondition(index >= 0 && index < count, "an index is within the array")
            unsafe base[index] = newValue
        }
    }

    @inlinable
    mutating func append(_ element: Element) {
        if count == capacity { grow() }
        unsafe (base + count).initialize(to: element)
        count += 1
    }

    @inlinable
    mutating func removeLast() -> Element {
        precondition(count > 0, "only what is there is removed")
        count -= 1
        return unsafe base[count]
    }

    /// Forgets all, and keeps the memory.
    @inlinable
    mutating func removeAll() { count = 0 }

    @usableFromInline
    mutating func grow() {
        let larger = max(8, 2 * capacity)
        let fresh = UnsafeMutablePointer<Element>.allocate(capacity: larger)
        // SAFETY: both have room for what there is, and the old memory is given up.
        unsafe fresh.initialize(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = fresh
        capacity = larger
    }
}

// The memory is its owner's alone.
extension PlainArray: @unchecked Sendable {}
