import Glibc
import Interchange

/// Appends whole lines to a file. What the disk does not take waits in memory for the next try, so
/// that a full disk costs nothing once there is room again.
final class LineFile {
  private let path: String
  private let descriptor: Int32
  private var pending: [UInt8] = []

  /// Opens a file to append to; it is made when missing.
  init(_ path: String) throws {
    self.path = path
    descriptor = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw InterchangeError.system("open", path, errno) }
  }

  deinit { close(descriptor) }

  /// Adds a line; `flush` writes it.
  func add(_ line: String) {
    pending += Array(line.utf8)
    pending.append(UInt8(ascii: "\n"))
  }

  /// Hands what is waiting to the system; what it does not take goes on waiting.
  func flush() throws {
    while !pending.isEmpty {
      let count = pending.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw InterchangeError.system("write", path, errno) }
      pending.removeFirst(count)
    }
  }

  /// Flushes to disk.
  func sync() throws {
    try flush()
    guard fsync(descriptor) == 0 else { throw InterchangeError.system("flush", path, errno) }
  }
}
