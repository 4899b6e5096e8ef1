import Compute
import Foundation

/// What the samples of earlier steps said about each cluster of tokens, for the choice of columns.
///
/// A few samples of a block say little; those that blocks of the same tokens had in the steps before say
/// more, for nothing. For every layer that chooses and every cluster a mean of block sums that follows
/// them slowly; it begins at zero, so that it counts the less the less there is to remember.
///
/// All passes of a step choose by what the steps before left, computing again included: what the samples
/// of a step add counts from `apply` on, and every micro-batch replaces so much that a step replaces
/// `rate`, however many there are.
///
/// A short last block counts as if it had all of its samples. Where a centroid begins anew, what is
/// remembered of its old tokens goes as slowly as it came.
public final class ChoiceMemory {
  /// Block sums of every cluster, [C, f], by layer; nil for one that does not choose.
  private(set) var sums: [TensorView?]
  /// What they will be after this step.
  private var next: [TensorView?]
  private var noted: Set<Int> = []
  private var isNoting = false
  private let rate: Float
  /// How much a micro-batch of the present step replaces.
  private var rateOfPart: Float = 0
  private let backend: any Backend
  private let arena: Arena

  /// Memory for the layers named, of zeros.
  init(
    shape: FeedForwardShape, layers: Set<Int>, clusters: Int, rate: Float, on backend: any Backend
  ) throws(ComputeError) {
    self.backend = backend
    self.rate = rate
    arena = try Arena(
      byteCount: ChoiceMemory.bytes(shape, layers: layers, clusters: clusters), on: backend,
      purpose: "what is remembered of samples")
    var views: [[TensorView?]] = []
    for _ in 0..<2 {
      var own: [TensorView?] = []
      for layer in 0..<shape.layers {
        own.append(
          layers.contains(layer) ? arena.take(rows: clusters, columns: shape.hiddenWidth) : nil)
      }
      views.append(own)
    }
    sums = views[0]
    next = views[1]
    try forget()
  }

  /// All that an instance allocates.
  static func bytes(_ shape: FeedForwardShape, layers: Set<Int>, clusters: Int) -> Int {
    2 * layers.count * Arena.bytes(rows: clusters, columns: shape.hiddenWidth)
  }

  /// Begins at zero again: neurons or clusters are others.
  func forget() throws(ComputeError) {
    drop()
    for case let view? in sums { try backend.zero(view) }
  }

  /// From now until `apply` or `drop`, `note` takes block sums, of so many micro-batches.
  func start(microBatches: Int) {
    drop()
    isNoting = true
    rateOfPart =
      microBatches > 1 ? 1 - Float(pow(1 - Double(rate), 1 / Double(microBatches))) : rate
  }

  /// Adds a micro-batch's block sums, [blocks, f], to what will be remembered.
  func note(layer: Int, sums new: TensorView, marks: TensorView) throws(ComputeError) {
    guard isNoting, let before = sums[layer], let after = next[layer] else { return }
    let isFirst = noted.insert(layer).inserted
    try backend.run(
      RememberSums(
        sums: new, marks: marks, rate: rateOfPart, before: isFirst ? before : after, after: after))
  }

  /// What was noted counts from now on.
  ///
  /// - Returns: Whether there was anything.
  func apply() -> Bool {
    for layer in noted { (sums[layer], next[layer]) = (next[layer], sums[layer]) }
    defer { drop() }
    return !noted.isEmpty
  }

  /// Forgets what was noted: the step is not taken.
  func drop() {
    noted = []
    isNoting = false
  }

  /// What a checkpoint keeps of every layer, [C · f]; empty for one that does not choose.
  func read() throws(ComputeError) -> [[Float]] {
    var values: [[Float]] = []
    for view in sums {
      values.append(
        try view.map { view throws(ComputeError) in try backend.floats(of: view) } ?? [])
    }
    return values
  }

  /// Takes what `read` gave; zeros where that was of other sizes.
  func restore(_ values: [[Float]]) throws(ComputeError) {
    try forget()
    guard values.count == sums.count else { return }
    for (view, values) in zip(sums, values) {
      if let view, view.count == values.count { try backend.write(floats: values, to: view) }
    }
  }
}
