import Glibc

/// Asks the kernel for 2 MiB pages: a large matrix then takes a few page faults and address
/// translations instead of thousands. A kernel that has none to give is no error.
enum HugePages {
  private static let pageBytes = 2 << 20

  /// What a large stretch should be aligned to, so that huge pages fit; 1 for small ones.
  static func alignment(for byteCount: Int) -> Int {
    byteCount >= pageBytes ? pageBytes : 1
  }

  /// Marks the whole pages of a stretch that `alignment(for:)` aligned.
  static func advise(_ pointer: UnsafeMutableRawPointer, byteCount: Int) {
    let whole = byteCount / pageBytes * pageBytes
    if whole > 0 { madvise(pointer, whole, Int32(MADV_HUGEPAGE)) }
  }
}
