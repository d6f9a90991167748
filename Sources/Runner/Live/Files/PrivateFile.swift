import Foundation
import Primitives

/// A file that its owner alone can read: keys of live SAs, and recordings, which hold keys.
///
/// What is written is the system's at once, and so outlives a process that is killed.
struct PrivateFile: ~Copyable {
    private let descriptor: Int32
    let path: String

    /// Makes an empty file, in place of one that was there before.
    init(creating path: String) throws(LiveError) {
        try self.init(path, flags: O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC)
    }

    init(updating path: String) throws(LiveError) {
        try self.init(path, flags: O_RDWR | O_CLOEXEC)
    }

    private init(_ path: String, flags: Int32) throws(LiveError) {
        let descriptor = unsafe open(path, flags, 0o600)
        guard descriptor >= 0 else { throw .cannotWrite("\(path) cannot be written: \(SystemError.text(errno))") }
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Writes all octets behind one another, from an offset on.
    func write(_ octets: [UInt8], at offset: Int) throws(LiveError) {
        var written = 0
        while written < octets.count {
            let result = unsafe octets.withUnsafeBytes { buffer in
                unsafe pwrite(
                    descriptor,
                    buffer.baseAddress.unsafelyUnwrapped + written,
                    octets.count - written,
                    off_t(offset + written)
                )
            }
            if result < 0, errno == EINTR { continue }
            guard result > 0 else { throw .cannotWrite("\(path) cannot be written: \(SystemError.text(errno))") }
            written += result
        }
    }
}

/// The system's error numbers in words.
enum SystemError {
    static func text(_ number: Int32) -> String { unsafe String(cString: strerror(number)) }
}
