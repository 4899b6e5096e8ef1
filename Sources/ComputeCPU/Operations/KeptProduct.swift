public import Compute
import CPUKernels

extension CPUBackend {
  /// One call of the indexed product per block; rows of both factors are gathered while packing.
  public func run(_ operation: KeptProduct) throws(ComputeError) {
    operation.checkShapes()
    let input = operation.input
    let output = operation.output
    let (epilogue, activation) = kernelEpilogue(operation.epilogue)
    scratch.reserve(bytes: MatrixLibrary.workspaceBytes)
    rows.forEachChunk(operation.pattern.columns.rows) { lane, index in
      let block = PackedBlock(operation.pattern, block: index, tokens: input.rows)
      let start = block.positions.lowerBound
      krait_sgemm(
        library.family, block.positions.count, output.columns, input.columns,
        block.tokenRows(input, transposed: false),
        block.neuronRows(operation.weights, transposed: true),
        krait_output(
          base: output.float + start * output.stride, stride: output.stride, rows32: nil,
          rows16: nil), 1, 0, epilogue,
        activation.map { UnsafePointer($0.float + start * $0.stride) },
        activation?.stride ?? 0, scratch[lane])
    }
  }

  private func kernelEpilogue(
    _ epilogue: MatrixMultiply.Epilogue
  ) -> (krait_epilogue, TensorView?) {
    switch epilogue {
    case .none: (KRAIT_EPILOGUE_NONE, nil)
    case .squaredReLU: (KRAIT_EPILOGUE_SQUARED_RELU, nil)
    case .timesTwoSqrt(let activation): (KRAIT_EPILOGUE_TIMES_TWO_SQRT, activation)
    }
  }
}
