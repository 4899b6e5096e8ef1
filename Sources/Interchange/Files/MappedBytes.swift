import Glibc

/// A whole file as read-only memory.
public final class MappedBytes: Sendable {
  /// The bytes; valid while the object lives, never changed.
  public nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
  /// Where they came from.
  public let path: String

  /// Maps a file.
  ///
  /// - Throws: `InterchangeError` when it cannot be opened.
  public init(_ path: String) throws {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw InterchangeError.system("open", path, errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw InterchangeError.system("look at", path, errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw InterchangeError("'\(path)' is not a file")
    }
    let count = Int(status.st_size)
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0),
      base != MAP_FAILED
    else { throw InterchangeError.system("map", path, errno) }
    bytes = UnsafeRawBufferPointer(start: base, count: count)
  }

  deinit {
    if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
  }
}
