/// A fixed row of values that different threads may use at the same time, each its own.
///
/// It does no synchronization: who may use which cell when is the owner's promise.
@safe
@usableFromInline
package struct Cells<Element: ~Copyable>: ~Copyable {
    @usableFromInline let base: UnsafeMutablePointer<Element>
    @usableFromInline let isFilled: UnsafeMutablePointer<Bool>
    @usableFromInline package let count: Int

    /// Makes empty cells; the memory is touched by the thread that fills them.
    @inlinable
    package init(count: Int) {
        self.count = count
        unsafe base = .allocate(capacity: count)
        unsafe isFilled = .allocate(capacity: count)
        unsafe isFilled.initialize(repeating: false, count: count)
    }

    @inlinable
    deinit {
        for index in 0..<count where unsafe isFilled[index] { unsafe (base + index).deinitialize(count: 1) }
        unsafe base.deallocate()
        unsafe isFilled.deallocate()
    }

    @inlinable
    package func fill(_ index: Int, with element: consuming Element) {
        precondition(index >= 0 && index < count, "the cell exists")
        unsafe precondition(!isFilled[index], "a cell is filled once")
        unsafe (base + index).initialize(to: element)
        unsafe isFilled[index] = true
    }

    @inlinable
    package subscript(index: Int) -> Element {
        unsafeAddress {
            precondition(index >= 0 && index < count, "the cell exists")
            unsafe precondition(isFilled[index], "the cell is filled")
            return unsafe UnsafePointer(base + index)
        }
        nonmutating unsafeMutableAddress {
            precondition(index >= 0 && index < count, "the cell exists")
            unsafe precondition(isFilled[index], "the cell is filled")
            return unsafe base + index
        }
    }
}
