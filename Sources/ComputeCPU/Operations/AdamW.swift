public import Compute
import CPUKernels
import Glibc

extension CPUBackend {
  /// Every number on its own; the corrections of the moments are computed once, in double.
  public func run(_ operation: AdamW) throws(ComputeError) {
    operation.checkShapes()
    precondition(
      [
        operation.parameters, operation.gradients, operation.firstMoment, operation.secondMoment,
      ].allSatisfy(\.isContiguous), "AdamW works on contiguous stretches")
    let step = Double(operation.step)
    let rate = Double(operation.learningRate)
    let stepSize = Float(rate / (1 - pow(Double(operation.beta1), step)))
    let rootScale = Float(1 / (1 - pow(Double(operation.beta2), step)).squareRoot())
    let keep = Float(1 - rate * Double(operation.weightDecay))
    rows.forEachRange(of: operation.parameters.count, rowsPerChunk: 1 << 16) { _, range in
      let start = range.lowerBound
      krait_adamw(
        operation.parameters.float + start, operation.gradients.float + start,
        operation.firstMoment.float + start, operation.secondMoment.float + start, range.count,
        operation.gradientScale, operation.beta1, operation.beta2, operation.epsilon, stepSize,
        rootScale, keep)
    }
    if let weights = operation.weights {
      try run(ConvertElements(source: operation.parameters, output: weights))
    }
  }
}
