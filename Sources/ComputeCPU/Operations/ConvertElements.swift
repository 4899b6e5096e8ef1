public import Compute

extension CPUBackend {
  /// Number by number.
  public func run(_ operation: ConvertElements) throws(ComputeError) {
    operation.checkShapes()
    let source = operation.source
    let output = operation.output
    rows.forEachRange(of: source.rows, rowsPerChunk: 1) { _, range in
      for row in range {
        let from = source.raw + row * source.rowBytes
        let to = output.raw + row * output.rowBytes
        for column in 0..<source.columns {
          let value =
            source.elementType == .bfloat16
            ? from.load(fromByteOffset: 2 * column, as: BFloat16.self).float
            : from.load(fromByteOffset: 4 * column, as: Float.self)
          if output.elementType == .bfloat16 {
            to.storeBytes(of: BFloat16(value), toByteOffset: 2 * column, as: BFloat16.self)
          } else {
            to.storeBytes(of: value, toByteOffset: 4 * column, as: Float.self)
          }
        }
      }
    }
  }
}
