import Compute
import ComputeCPU
import Testing

/// What a comparison of numbers cannot see: a zero that an operation makes is +0.
@Suite struct SignedZeroTests {
  private let backend = CPUBackend(threads: 1)
  /// A property, so that it outlives the views that a test takes from it.
  private let arena: Arena

  init() throws {
    arena = try Arena(byteCount: 1 << 16, on: backend, purpose: "test")
  }

  private func view(_ values: [Float], columns: Int) throws -> TensorView {
    let view = arena.take(rows: values.count / columns, columns: columns)
    try backend.write(values, to: view)
    return view
  }

  @Test func squaredReLU() throws {
    let values = try view([-0.0, -1, 0, -1e-30, 2], columns: 5)
    try backend.run(SquaredReLU.Forward(values: values))
    let bits = try backend.read(values).map { ($0 as Float).bitPattern }
    #expect(bits == [0, 0, 0, 0, Float(4).bitPattern])
  }

  /// Through the epilogue of a dense product, with each library and kernel family.
  @Test func squaredReLUAfterAProduct() throws {
    for library in MatrixLibrary.all() + MatrixLibrary.ownFamilies() {
      let backend = CPUBackend(threads: 1, library: library)
      let left = try view([Float](repeating: -1, count: 6), columns: 2)
      let right = try view([Float](repeating: 1, count: 10), columns: 5)
      let output = arena.take(rows: 3, columns: 5)
      try backend.run(MatrixMultiply(left, right, into: output, epilogue: .squaredReLU))
      #expect(try backend.read(output).allSatisfy { ($0 as Float).bitPattern == 0 })
    }
  }

  @Test func maskedEntries() throws {
    let values = try view([-1, -2, -3, -4, -0.0, 1, -0.0, 2], columns: 8)
    try backend.run(MaskFours(values: values, keep: 2))
    let bits = try backend.read(values).map { ($0 as Float).bitPattern }
    #expect(bits[2] == 0 && bits[3] == 0 && bits[4] == 0 && bits[6] == 0)
    #expect(bits[0] == Float(-1).bitPattern && bits[5] == Float(1).bitPattern)
  }

  @Test func droppedWeightsOf2Of4() throws {
    let weights = try view([-1, -2, -0.0, 3, 1, 1, 1, 1], columns: 8)
    let output = arena.take(rows: 1, columns: 8)
    try backend.run(SoftThreshold(weights: weights, output: output, scale: 1))
    // t is 1 in the first four: the second smallest of 1, 2, 0, 3.
    #expect(try backend.read(output) == [0, -1, 0, 2, 0, 0, 0, 0] as [Float])
    let bits = try backend.read(output).map { ($0 as Float).bitPattern }
    for index in [0, 2, 4, 5, 6, 7] { #expect(bits[index] == 0) }
  }
}
