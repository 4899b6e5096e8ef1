/// Encodes texts with a `BPETokenizer`, on one thread.
final class BPEEncoder: TokenEncoder {
  private let tokenizer: BPETokenizer
  private let cache = PieceCache()
  private var merger: PieceMerger

  init(_ tokenizer: BPETokenizer) {
    self.tokenizer = tokenizer
    merger = PieceMerger(tokenizer.merges)
  }

  func append(_ text: UnsafeBufferPointer<UInt8>, to ids: inout [UInt32]) {
    append(text, pass: 0, to: &ids)
  }

  /// Cuts out added tokens pass by pass, then encodes what is left.
  private func append(
    _ text: UnsafeBufferPointer<UInt8>, pass: Int, to ids: inout [UInt32]
  ) {
    guard pass < tokenizer.added.count else {
      tokenizer.pattern.forEachPiece(text) { appendPiece($0, to: &ids) }
      return
    }
    tokenizer.added[pass].split(text) { part, token in
      if let token {
        ids.append(token)
      } else {
        append(part, pass: pass + 1, to: &ids)
      }
    }
  }

  private func appendPiece(_ piece: UnsafeBufferPointer<UInt8>, to ids: inout [UInt32]) {
    let key = PieceCache.Key(piece)
    if let key, cache.append(key, to: &ids) { return }
    let start = ids.count
    if tokenizer.ignoresMerges, let id = tokenizer.texts.id(of: piece) {
      ids.append(id)
    } else {
      merger.append(piece, byteTokens: tokenizer.byteTokens, to: &ids)
    }
    if let key { cache.store(key, ids[start...]) }
  }
}
