public import Compute
import CPUKernels
import Glibc

extension CPUBackend {
  /// Row by row: the maximum, the sum of exponentials, and, if asked, the gradient in place.
  public func run(_ operation: CrossEntropy) throws(ComputeError) {
    operation.checkShapes()
    let logits = operation.logits
    let targets = operation.targets.int32
    let losses = operation.losses.float
    rows.forEachRange(of: logits.rows, rowsPerChunk: 8) { _, range in
      for row in range {
        let values = logits.float + row * logits.stride
        let target = Int(targets[row])
        precondition(
          target < logits.columns, "target id \(target) in a vocabulary of \(logits.columns)")
        guard target >= 0 else {
          losses[row] = 0
          if operation.gradientScale != nil { values.update(repeating: 0, count: logits.columns) }
          continue
        }
        let maximum = krait_maximum(values, logits.columns)
        let targetLogit = values[target]
        guard let scale = operation.gradientScale else {
          let sum = krait_sum_exp_shifted(values, logits.columns, maximum)
          losses[row] = log(sum) + maximum - targetLogit
          continue
        }
        let sum = krait_exp_shifted(values, logits.columns, 1, maximum)
        losses[row] = log(sum) + maximum - targetLogit
        krait_scale(values, logits.columns, scale / sum)
        values[target] -= scale
      }
    }
  }
}
