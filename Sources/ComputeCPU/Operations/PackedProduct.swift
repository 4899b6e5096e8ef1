public import Compute
import CPUKernels

extension CPUBackend {
  /// One call of the indexed product per block; results are written to where tokens came from.
  public func run(_ operation: PackedProduct) throws(ComputeError) {
    operation.checkShapes()
    let output = operation.output
    if let addend = operation.addend, addend != output { try copy(from: addend, to: output) }
    scratch.reserve(bytes: MatrixLibrary.workspaceBytes)
    rows.forEachChunk(operation.pattern.columns.rows) { lane, index in
      let block = PackedBlock(operation.pattern, block: index, tokens: output.rows)
      krait_sgemm(
        library.family, block.positions.count, output.columns, operation.packed.columns,
        block.packedRows(operation.packed, transposed: false),
        block.neuronRows(operation.weights, transposed: false), block.tokenTargets(output), 1,
        operation.addend == nil ? 0 : 1, KRAIT_EPILOGUE_NONE, nil, 0, scratch[lane])
    }
  }
}
