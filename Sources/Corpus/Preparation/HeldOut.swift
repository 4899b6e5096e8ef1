/// Which text is kept from training, to evaluate on: whole documents, evenly spaced; or, when
/// there are too few of them, the end of each.
package struct HeldOut: Sendable, Equatable {
  /// Where a document goes.
  package enum Part: Sendable, Equatable {
    case train
    case validation
    /// To train on, but for the last `share` of its bytes.
    case tail(share: Double)
  }

  private enum Rule: Equatable {
    case nothing
    case documents(count: Int, of: Int)
    case tails(share: Double)
  }

  private let rule: Rule

  package static let none = HeldOut(rule: .nothing)

  private init(rule: Rule) { self.rule = rule }

  /// A share (below 1) or a number (1 or more) of documents.
  ///
  /// - Throws: `CorpusError` when nothing would be left to train on.
  package init(_ wanted: Double, of documents: Int) throws {
    if wanted == 0 {
      rule = .nothing
    } else if wanted >= 1 {
      let count = Int(wanted)
      guard count < documents else {
        throw CorpusError(
          "--validation \(count) would hold out all \(documents) documents; give fewer, or a "
            + "share such as 0.01")
      }
      rule = .documents(count: count, of: documents)
    } else {
      let count = Int((wanted * Double(documents)).rounded(.down))
      rule = count >= 1 ? .documents(count: count, of: documents) : .tails(share: wanted)
    }
  }

  /// Where a document goes, by its number.
  package func part(of index: Int) -> Part {
    switch rule {
    case .nothing: return .train
    case .tails(let share): return .tail(share: share)
    case .documents(let count, let total):
      // Document i of every n / count-th: the last of each stretch.
      let before = (index * count) / total
      let after = ((index + 1) * count) / total
      return after > before ? .validation : .train
    }
  }

  /// Where the tail of a text begins: at the start of the line that holds the first byte of the
  /// last `share`, if that leaves something on both sides, else at a character.
  package static func cut(_ bytes: UnsafeBufferPointer<UInt8>, share: Double) -> Int {
    let wanted = bytes.count - Int((Double(bytes.count) * share).rounded(.up))
    var line = wanted
    while line > 0 && bytes[line - 1] != 0x0A { line -= 1 }
    // A line that is much longer than what is held out is cut.
    if line > 0 && wanted - line <= (bytes.count - wanted) { return line }
    var character = wanted
    while character > 0 && character < bytes.count && bytes[character] & 0xC0 == 0x80 {
      character -= 1
    }
    return character
  }
}
