import Glibc

/// Writes a file so that it exists either whole or not at all.
///
/// Bytes go to a temporary name in the same folder; `commit` flushes them to disk, renames the file
/// and flushes the folder. Anything else removes the temporary file.
public final class AtomicFile {
  /// The name it will have.
  public let path: String
  /// Bytes written so far.
  public private(set) var byteCount = 0
  private let temporary: String
  private var descriptor: Int32
  private var buffer: [UInt8] = []

  private static let bufferBytes = 1 << 20

  /// Creates the temporary file.
  ///
  /// - Throws: `InterchangeError` when the folder does not take it.
  public init(_ path: String) throws {
    self.path = path
    let folder = AtomicFile.folder(of: path)
    temporary = "\(folder)/.\(AtomicFile.name(of: path)).\(getpid()).tmp"
    descriptor = open(temporary, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw InterchangeError.system("create", path, errno) }
  }

  deinit { abandon() }

  /// Appends bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    byteCount += bytes.count
    if buffer.count + bytes.count <= AtomicFile.bufferBytes {
      buffer += bytes
      return
    }
    try flush()
    try writeThrough(bytes)
  }

  /// Appends bytes.
  public func write(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try write($0) }
  }

  /// Appends text.
  public func write(_ text: String) throws { try write(Array(text.utf8)) }

  /// Makes the file appear under its name, durably.
  public func commit() throws {
    precondition(descriptor >= 0, "'\(path)' was committed or abandoned before")
    do {
      try flush()
      guard fsync(descriptor) == 0 else { throw InterchangeError.system("flush", path, errno) }
      guard rename(temporary, path) == 0 else {
        throw InterchangeError.system("rename a new file to", path, errno)
      }
    } catch {
      abandon()
      throw error
    }
    close(descriptor)
    descriptor = -1
    try AtomicFile.syncFolder(AtomicFile.folder(of: path))
  }

  /// Removes the temporary file; nothing else was touched.
  public func abandon() {
    guard descriptor >= 0 else { return }
    close(descriptor)
    descriptor = -1
    unlink(temporary)
  }

  /// Writes a small file in one go.
  public static func write(_ bytes: [UInt8], to path: String) throws {
    let file = try AtomicFile(path)
    try file.write(bytes)
    try file.commit()
  }

  /// Writes a small text file in one go.
  public static func write(_ text: String, to path: String) throws {
    try write(Array(text.utf8), to: path)
  }

  /// Flushes a folder's entries to disk, so that renames in it survive a power cut.
  public static func syncFolder(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw InterchangeError.system("open the folder", path, errno) }
    defer { close(descriptor) }
    // Some file systems do not flush folders; that is no reason to lose the file.
    if fsync(descriptor) != 0 && errno != EINVAL && errno != EROFS {
      throw InterchangeError.system("flush the folder", path, errno)
    }
  }

  /// The folder that a path lies in.
  package static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last part of a path. Like `folder(of:)` without Foundation, whose `NSString` traps on names
  /// of one character.
  package static func name(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  /// Makes a folder, and those that it lies in; one that is there is left as it is.
  package static func makeFolder(_ path: String) throws {
    if isFolder(path) { return }
    let trimmed = path.hasSuffix("/") ? String(path.dropLast()) : path
    let parent = folder(of: trimmed)
    if parent != trimmed && parent != "." { try makeFolder(parent) }
    if mkdir(path, 0o755) == 0 { return }
    let code = errno
    // Somebody else may have made it by now; a file of that name is no folder.
    guard code == EEXIST && isFolder(path) else {
      throw InterchangeError.system("make the folder", path, code)
    }
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  private func flush() throws {
    guard !buffer.isEmpty else { return }
    try buffer.withUnsafeBytes { try writeThrough($0) }
    buffer.removeAll(keepingCapacity: true)
  }

  private func writeThrough(_ bytes: UnsafeRawBufferPointer) throws {
    var written = 0
    while written < bytes.count, let base = bytes.baseAddress {
      let count = Glibc.write(descriptor, base + written, bytes.count - written)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        let code = errno
        abandon()
        throw InterchangeError.system("write", path, code)
      }
      written += count
    }
  }
}
