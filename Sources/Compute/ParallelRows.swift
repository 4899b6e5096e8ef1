import Dispatch

/// How work on the host is shared between threads: the CPU's operations, and what surrounds those of a GPU.
///
/// Work is cut into chunks whose number depends on the problem alone, never on the number of
/// threads, and every chunk writes its own part of the result: so results have the same bits
/// whatever `threads` is. Which lane runs which chunk is left to chance; a lane's scratch memory
/// must therefore carry nothing from chunk to chunk.
public struct ParallelRows: Sendable {
  /// How many chunks run at the same time, at most.
  public let threads: Int

  /// A pool of this many lanes; at least one.
  public init(threads: Int) {
    precondition(threads >= 1, "\(threads) threads")
    self.threads = threads
  }

  /// Calls `body(lane, chunk)` once for every chunk; lanes are numbered from 0 to `threads − 1`.
  ///
  /// Returns when all chunks are done. The closure may capture pointers: chunks are disjoint.
  public func forEachChunk(_ chunks: Int, _ body: (_ lane: Int, _ chunk: Int) -> Void) {
    let lanes = min(threads, chunks)
    if lanes <= 1 {
      for chunk in 0..<chunks { body(0, chunk) }
      return
    }
    withoutActuallyEscaping(body) { escapable in
      // Chunks write disjoint memory, and concurrentPerform returns only after the last one.
      nonisolated(unsafe) let work = escapable
      let next = ChunkCounter()
      DispatchQueue.concurrentPerform(iterations: lanes) { lane in
        while let chunk = next.take(below: chunks) { work(lane, chunk) }
      }
    }
  }

  /// Calls `body(lane, rows)` for consecutive ranges of at most `rowsPerChunk` rows.
  public func forEachRange(
    of rows: Int, rowsPerChunk: Int, _ body: (_ lane: Int, _ rows: Range<Int>) -> Void
  ) {
    precondition(rowsPerChunk >= 1, "chunks of \(rowsPerChunk) rows")
    forEachChunk((rows + rowsPerChunk - 1) / rowsPerChunk) { lane, chunk in
      let start = chunk * rowsPerChunk
      body(lane, start..<min(start + rowsPerChunk, rows))
    }
  }
}
