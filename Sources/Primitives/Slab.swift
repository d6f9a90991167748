/// Values until they are taken, named by their places; a place is used again.
///
/// What must not be taken by an old name is for a `SlotTable`.
public struct Slab<Element> {
    @usableFromInline var elements: [Element?] = []
    @usableFromInline var free: [UInt32] = []

    @inlinable
    public init() {}

    @inlinable
    public mutating func insert(_ element: Element) -> UInt32 {
        guard let index = free.popLast() else {
            elements.append(element)
            return UInt32(elements.count - 1)
        }
        elements[Int(index)] = element
        return index
    }

    /// Takes a value that was put in and has not been taken since.
    @inlinable
    public mutating func remove(_ index: UInt32) -> Element {
        guard let element = elements[Int(index)] else { preconditionFailure("a value is taken once") }
        elements[Int(index)] = nil
        free.append(index)
        return element
    }
}

extension Slab: Sendable where Element: Sendable {}
