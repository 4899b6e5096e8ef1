import Glibc

/// A whole file as read-only memory; pages are read when touched, so size does not matter.
final class MappedFile: Sendable {
  /// Where the bytes are; never changes while the object lives.
  nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
  let path: String

  init(_ path: String) throws {
    self.path = path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw CorpusError.system("open", path, errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw CorpusError.system("look at", path, errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw CorpusError("'\(path)' is not a file; give the path of a token shard")
    }
    let count = Int(status.st_size)
    if count == 0 {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0),
      base != MAP_FAILED
    else { throw CorpusError.system("map", path, errno) }
    bytes = UnsafeRawBufferPointer(start: base, count: count)
  }

  deinit {
    if let base = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
    }
  }

  /// A little-endian integer at a byte offset; the caller has checked that it is there.
  func integer<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type) -> Value {
    Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
  }
}
