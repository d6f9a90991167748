import Foundation

/// Owns one file descriptor, and nothing else.
package struct OpenFile: ~Copyable {
    private let descriptor: Int32
    /// The file as errors call it.
    private let name: String

    /// Creates a file that was not there before.
    package init(creating path: String, mode: UInt32 = 0o644) throws(ResultError) {
        try self.init(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
    }

    /// Opens what is there, such as a device.
    package init(writing path: String) throws(ResultError) {
        try self.init(path, O_WRONLY, 0)
    }

    private init(_ path: String, _ flags: Int32, _ mode: UInt32) throws(ResultError) {
        let descriptor = unsafe open(path, flags | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw ResultError(file: path, errno: errno) }
        self.descriptor = descriptor
        name = path
    }

    deinit { close(descriptor) }

    package func write(_ bytes: [UInt8]) throws(ResultError) {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                // SAFETY: the range starts at or before the buffer's end and ends there.
                unsafe Foundation.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw ResultError(file: name, errno: errno)
            }
            written += count
        }
    }

    /// Waits until what was written survives a power cut.
    package func synchronize() throws(ResultError) {
        guard fsync(descriptor) == 0 else { throw ResultError(file: name, errno: errno) }
    }
}

extension ResultError {
    /// A failed call's error in plain words.
    package init(file: String, errno code: Int32) {
        let problem =
            switch code {
            case ENOSPC, EDQUOT: "the disk is full"
            case EACCES, EPERM: "it may not be written or read by this user"
            case EROFS: "the file system is read-only"
            case ENOENT: "there is no such file or folder"
            case ENOTDIR: "a part of the path is not a folder"
            case EEXIST: "it is there already"
            case EISDIR: "it is a folder"
            default: unsafe String(cString: strerror(code)).lowercased()
            }
        self.init(file: file, problem: problem)
    }
}
