import Compute
import FeedForward

/// Where a micro-batch's gradients go, and which of them replace what was there.
extension TrainingPass {
  /// What a weight's gradient is added to: nothing when it replaces what is there.
  func sum(_ gradient: TensorView) -> TensorView? { isReplacing ? nil : gradient }

  func gradient(_ role: ParameterRole) -> TensorView {
    batchGradients.isNarrow ? batchGradients.narrow(role) : gradients[role]
  }

  /// Whether the first to compute a part of the gradient can write instead of adding.
  private func isWritten(_ role: ParameterRole) -> Bool {
    switch role {
    case .embedding, .queryKeyValue, .attentionOutput, .output: true
    case .up, .down: feedForward.mode == .dense
    case .finalNorm, .attentionNorm, .feedForwardNorm: false
    }
  }

  /// Clears the gradients that are only added to, neighbours together.
  func clearWhatIsAddedTo() throws(ComputeError) {
    var range = 0..<0
    for entry in model.table.entries where !isWritten(entry.role) {
      // Padding between parameters is zero and stays so.
      if entry.offset - range.upperBound >= ParameterTable.alignment {
        try backend.zero(gradients.all.columns(range))
        range = entry.offset..<entry.offset
      }
      range = range.lowerBound..<entry.offset + entry.count
    }
    try backend.zero(gradients.all.columns(range))
  }
}
