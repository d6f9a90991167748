import Foundation

/// Files that appear whole or not at all: written aside, made durable, and then renamed.
package enum AtomicFile {
    /// Writes a file, in place of one that is there. After an error the old one is untouched and nothing is left aside.
    package static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o644) throws(ResultError) {
        let aside = asidePath(of: path)
        // What a killed run left there is of no use to anybody.
        unsafe unlink(aside)
        do throws(ResultError) {
            let file = try OpenFile(creating: aside, mode: mode)
            try file.write(bytes)
            try file.synchronize()
            try rename(aside, to: path)
        } catch {
            unsafe unlink(aside)
            throw ResultError(file: path, place: error.place, problem: error.problem)
        }
    }

    /// Where a file is while it is written.
    static func asidePath(of path: String) -> String { path + ".partial" }

    static func rename(_ aside: String, to path: String) throws(ResultError) {
        guard unsafe Foundation.rename(aside, path) == 0 else { throw ResultError(file: path, errno: errno) }
        synchronizeFolder(of: path)
    }

    /// Makes names durable. Not every file system can; then the kernel's own time applies.
    static func synchronizeFolder(of path: String) {
        let folder = path.lastIndex(of: "/").map { path[..<$0] } ?? "."
        let descriptor = unsafe open(String(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    /// A file's bytes.
    package static func read(_ path: String) throws(ResultError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ResultError(file: path, errno: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe Foundation.read(descriptor, buffer.baseAddress!, buffer.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw ResultError(file: path, errno: errno)
            }
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
        }
    }
}

/// A file that grows during a run and gets its name at the end; until then it is `NAME.partial`, so that a killed run
/// leaves what it had.
package struct StreamedFile: ~Copyable {
    private let path: String
    private let file: OpenFile
    private var buffer: [UInt8] = []

    package init(_ path: String, mode: UInt32 = 0o644) throws(ResultError) {
        self.path = path
        file = try OpenFile(creating: AtomicFile.asidePath(of: path), mode: mode)
        buffer.reserveCapacity(Self.bufferByteCount)
    }

    package mutating func append(_ bytes: some Sequence<UInt8>) throws(ResultError) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.bufferByteCount { try flush() }
    }

    package mutating func append(_ line: EventLine) throws(ResultError) {
        line.append(to: &buffer)
        if buffer.count >= Self.bufferByteCount { try flush() }
    }

    /// Hands over to the operating system what is still here.
    package mutating func flush() throws(ResultError) {
        guard !buffer.isEmpty else { return }
        // Dropped even where writing fails: what went out already must not go out twice.
        defer { buffer.removeAll(keepingCapacity: true) }
        try file.write(buffer)
    }

    /// Gives the file its name.
    package consuming func finish() throws(ResultError) {
        try flush()
        try file.synchronize()
        try AtomicFile.rename(AtomicFile.asidePath(of: path), to: path)
    }

    private static var bufferByteCount: Int { 1 << 16 }
}
