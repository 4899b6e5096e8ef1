import Compute
import ComputeCPU
import OperationCases
import Testing

/// Every case of every operation against its double-precision reference.
@Suite struct OperationCaseTests {
  /// Every library of this machine, and every family of our own kernels it can run.
  static let libraries =
    MatrixLibrary.all().filter { $0.kind != .own } + MatrixLibrary.ownFamilies()

  @Test(arguments: libraries.indices)
  func equalsTheDoublePrecisionReference(library: Int) throws {
    let backend = CPUBackend(threads: 2, library: OperationCaseTests.libraries[library])
    var operations: Set<String> = []
    for test in CaseList.small {
      let check = try CaseCheck(test, on: backend)
      #expect(check.mismatch == nil, "\(backend.summary)")
      operations.insert(test.operation)
    }
    // A list that lost an operation would pass silently.
    #expect(operations.count == 35)
  }

  /// The sizes for GPUs are defined rightly: the default library computes them too.
  @Test func tilesEqualTheDoublePrecisionReference() throws {
    let backend = CPUBackend(threads: 2)
    for test in CaseList.tiles { #expect(try CaseCheck(test, on: backend).mismatch == nil) }
  }

  @Test func gradientsEqualFiniteDifferences() throws {
    let backend = CPUBackend(threads: 1)
    var compared: [String: Int] = [:]
    for test in CaseList.small where test.derivative != nil {
      let check = try DerivativeCheck(test, on: backend)
      #expect(check.mismatch == nil)
      // Left out is only what lies at a kink, and of random numbers next to nothing does.
      #expect(check.skipped <= check.compared / 100)
      compared[test.operation, default: 0] += check.compared
    }
    let expected: Set<String> = [
      "RMSNorm.Backward", "RotaryEmbedding", "Attention.Backward", "SquaredReLU.Backward",
      "CrossEntropy", "Embedding.Backward", "MatrixMultiply", "KeptProduct", "PackedProduct",
      "PackedWeightGradient",
    ]
    #expect(Set(compared.keys) == expected)
  }

  /// Our own loops and kernels give the same bits whatever the number of threads.
  @Test(arguments: MatrixLibrary.ownFamilies().indices)
  func bitsDoNotDependOnThreads(family: Int) throws {
    let library = MatrixLibrary.ownFamilies()[family]
    let backends = [1, 2, 3].map { CPUBackend(threads: $0, library: library) }
    // The products are many and alike: every seventh will do.
    let cases = CaseList.small.enumerated().filter {
      $0.element.operation != "MatrixMultiply" || $0.offset % 7 == 0
    }.map(\.element)
    for test in cases {
      let results = try backends.map { backend in
        let memory = try CaseMemory(test, on: backend)
        try test.run(backend, memory.views)
        return try memory.images()
      }
      #expect(results[1] == results[0] && results[2] == results[0], "\(test)")
    }
  }

  /// AVX2 and AVX-512 add in the same order.
  @Test func vectorFamiliesGiveTheSameBits() throws {
    let backends = MatrixLibrary.ownFamilies().filter { !$0.name.contains("portable") }
      .map { CPUBackend(threads: 1, library: $0) }
    guard backends.count == 2 else { return }
    for test in CaseList.small where test.operation.hasSuffix("Product") {
      let results = try backends.map { backend in
        let memory = try CaseMemory(test, on: backend)
        try test.run(backend, memory.views)
        return try memory.images()
      }
      #expect(results[0] == results[1], "\(test)")
    }
  }
}
