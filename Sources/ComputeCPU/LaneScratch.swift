import Glibc

/// One growing block of scratch memory for each lane of `ParallelRows`.
///
/// Only the lane that owns a block touches it while a parallel loop runs; that is what makes the
/// unchecked Sendable true.
final class LaneScratch: @unchecked Sendable {
  private var blocks: [(pointer: UnsafeMutableRawPointer, bytes: Int)?]

  /// Empty blocks for this many lanes.
  init(lanes: Int) {
    blocks = Array(repeating: nil, count: lanes)
  }

  deinit {
    for case let block? in blocks { free(block.pointer) }
  }

  /// Makes every lane's block at least this large. Called before a parallel loop, never inside.
  func reserve(bytes: Int) {
    for lane in blocks.indices where (blocks[lane]?.bytes ?? 0) < bytes {
      if let old = blocks[lane] { free(old.pointer) }
      var pointer: UnsafeMutableRawPointer?
      let status = posix_memalign(
        &pointer, max(4096, HugePages.alignment(for: bytes)), bytes)
      guard status == 0, let pointer else {
        preconditionFailure("no \(bytes) bytes of scratch memory")
      }
      HugePages.advise(pointer, byteCount: bytes)
      blocks[lane] = (pointer, bytes)
    }
  }

  /// The block of a lane, 4096-byte aligned.
  subscript(lane: Int) -> UnsafeMutableRawPointer {
    guard let block = blocks[lane] else {
      preconditionFailure("lane \(lane) has no scratch: call reserve first")
    }
    return block.pointer
  }
}
