/// Owns one value in a place of its own, so that whoever has none of it stays small.
@safe
package struct Box<Value: ~Copyable>: ~Copyable {
    /// Where the value is, for as long as the box lives.
    let pointer: UnsafeMutablePointer<Value>

    package init(_ value: consuming Value) {
        unsafe pointer = .allocate(capacity: 1)
        unsafe pointer.initialize(to: value)
    }

    deinit {
        unsafe pointer.deinitialize(count: 1)
        unsafe pointer.deallocate()
    }

    package var value: Value {
        // SAFETY: the place is initialized from `init` on, and this is its only owner.
        unsafeAddress { unsafe UnsafePointer(pointer) }
        unsafeMutableAddress { unsafe pointer }
    }

    /// The value itself; its place is given back.
    package consuming func take() -> Value {
        let value = unsafe pointer.move()
        unsafe pointer.deallocate()
        discard self
        return value
    }
}

// SAFETY: the box owns its value alone, and hands it over with itself.
extension Box: @unchecked Sendable where Value: Sendable & ~Copyable {}
