import Foundation
import Glibc
import Interchange
import Testing

@Suite struct AtomicFileTests {
  @Test(arguments: [
    ("g", ".", "g"), ("a/b", "a", "b"), ("/a", "/", "a"), ("a/b.txt", "a", "b.txt"),
  ])
  func pathsHaveFoldersAndNames(path: String, folder: String, name: String) {
    #expect(AtomicFile.folder(of: path) == folder)
    #expect(AtomicFile.name(of: path) == name)
  }

  @Test func foldersAreMadeWithThoseTheyLieIn() throws {
    let folder = try TemporaryFolder()
    for path in ["a/b/c", "a/b/c", "d/"] { try AtomicFile.makeFolder(folder.file(path)) }
    #expect(folder.names == ["a", "d"])
    try AtomicFile.write("x", to: folder.file("a/b/c/x"))
    for path in ["a/b/c/x", "a/b/c/x/y"] {
      let error = #expect(throws: InterchangeError.self) {
        try AtomicFile.makeFolder(folder.file(path))
      }
      let sentence = try #require(error?.description)
      #expect(sentence.hasSuffix("a/b/c/x': File exists; move the file that is in the way"))
    }
  }

  @Test func nothingIsThereBeforeTheCommit() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.txt")
    let file = try AtomicFile(path)
    try file.write("hello")
    #expect(access(path, F_OK) != 0)
    try file.commit()
    #expect(try folder.read("x.txt") == Array("hello".utf8))
    #expect(folder.names == ["x.txt"])
  }

  @Test func anAbandonedFileLeavesNothingAndTouchesNothing() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write("old", to: folder.file("x.txt"))
    do {
      let file = try AtomicFile(folder.file("x.txt"))
      try file.write([UInt8](repeating: 7, count: 3 << 20))
    }
    #expect(try folder.read("x.txt") == Array("old".utf8))
    #expect(folder.names == ["x.txt"])
  }

  @Test func largeAndSmallPiecesKeepTheirOrder() throws {
    let folder = try TemporaryFolder()
    let file = try AtomicFile(folder.file("x"))
    var expected: [UInt8] = []
    for (index, size) in [1, 1 << 20, 3, (1 << 20) - 2, 5 << 20, 0, 9].enumerated() {
      let piece = [UInt8](repeating: UInt8(index + 1), count: size)
      try file.write(piece)
      expected += piece
    }
    #expect(file.byteCount == expected.count)
    try file.commit()
    #expect(try folder.read("x") == expected)
  }

  @Test func aFolderThatTakesNoFilesIsNamed() throws {
    // Root may write everywhere but in the kernel's own folders.
    let folder = try TemporaryFolder()
    let path = geteuid() == 0 ? "/sys/krait-test.txt" : folder.file("x.txt")
    if geteuid() != 0 { chmod(folder.path, 0o555) }
    defer { chmod(folder.path, 0o755) }
    do {
      try AtomicFile.write("hello", to: path)
      Issue.record("'\(path)' was written")
    } catch let error as InterchangeError {
      #expect(error.description.hasPrefix("cannot create '\(path)': "))
      #expect(error.description.contains("choose a folder you may write to"))
    }
    #expect(access(path, F_OK) != 0)
  }

  @Test func aFolderThatIsNotThereIsNamed() throws {
    let folder = try TemporaryFolder()
    do {
      try AtomicFile.write("hello", to: folder.file("no/x.txt"))
      Issue.record("written")
    } catch let error as InterchangeError {
      #expect(error.description.contains("No such file or directory; check the path"))
    }
  }

  /// A disk of 64 KiB: the sentence says what to do, nothing new is there, the old file is.
  @Test(.enabled(if: TinyDisk.isPossible, "a disk of its own needs root and mount(2)"))
  func aFullDiskLeavesTheOldFile() throws {
    let disk = try TinyDisk(bytes: 64 << 10)
    try AtomicFile.write("old", to: disk.path + "/x")
    for size in [100_000, 3 << 20] {
      do {
        try AtomicFile.write([UInt8](repeating: 1, count: size), to: disk.path + "/x")
        Issue.record("\(size) bytes were written to a disk of 64 KiB")
      } catch let error as InterchangeError {
        #expect(error.description.contains("No space left on device; free space on that disk"))
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: disk.path + "/x")) == Data("old".utf8))
      #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path) == ["x"])
    }
  }
}

/// A file system in memory of a few bytes.
final class TinyDisk {
  let path: String
  private let folder: TemporaryFolder

  static let isPossible: Bool = {
    guard geteuid() == 0 else { return false }
    return (try? TinyDisk(bytes: 64 << 10)) != nil
  }()

  init(bytes: Int) throws {
    folder = try TemporaryFolder()
    path = folder.file("disk")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    guard mount("tmpfs", path, "tmpfs", 0, "size=\(bytes)") == 0 else {
      throw InterchangeError.system("mount", path, errno)
    }
  }

  deinit { umount(path) }
}
