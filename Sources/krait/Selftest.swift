import ArgumentParser
import Compute
import ComputeCPU
import OperationCases

/// Every operation of this machine's backend against the CPU definition.
struct Selftest: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks every operation of this machine's backend against the definition.",
    discussion: """
      Runs some thousand small cases of every operation: odd sizes, slices of wider matrices, \
      ties, signed zeros, short last blocks. Results are compared with plain double-precision \
      loops, gradients with finite differences, and the memory around every result must stay as \
      it was. On the CPU every matrix library and every family of Krait's own kernels takes a \
      turn. Ends with exit code 1 and the first wrong element when anything differs.
      """)

  @OptionGroup var machine: BackendOptions

  func run() throws {
    let cases = CaseList.small
    var failures: [String] = []
    let chosen = try machine.open()
    failures += try check(cases, on: chosen)
    guard let cpu = chosen as? CPUBackend else { return try report(failures) }
    // The other ways to compute the same products.
    let products = cases.filter {
      $0.operation == "MatrixMultiply" || $0.operation.hasSuffix("Product")
        || $0.operation.hasPrefix("Attention") || $0.operation == "PackedWeightGradient"
    }
    let others = MatrixLibrary.all().filter { $0.kind != .own } + MatrixLibrary.ownFamilies()
    for library in others where library.name != cpu.library.name {
      print("")
      failures += try check(
        products, on: CPUBackend(threads: cpu.rows.threads, library: library))
    }
    try report(failures)
  }

  /// Prints a table; returns the first mismatch of every operation that has one.
  private func check(
    _ cases: [OperationCase], on backend: any Backend
  ) throws -> [String] {
    print(backend.summary)
    var table = TextTable(["operation", "cases", "gradients", "worst error / allowed", "result"])
    var failures: [String] = []
    var names: [String] = []
    for test in cases where !names.contains(test.operation) { names.append(test.operation) }
    for name in names {
      var worst = 0.0
      var gradients = 0
      var first: String?
      let own = cases.filter { $0.operation == name }
      for test in own {
        let result = try CaseCheck(test, on: backend)
        worst = max(worst, result.worstShare)
        let slopes = try DerivativeCheck(test, on: backend)
        gradients += slopes.compared
        first = first ?? result.mismatch?.description ?? slopes.mismatch?.description
      }
      table.add([
        name, "\(own.count)", gradients == 0 ? "" : "\(gradients)", fixed(worst, 3),
        first == nil ? "ok" : "WRONG",
      ])
      if let first { failures.append("\(backend.summary): \(first)") }
    }
    print(table.text)
    return failures
  }

  private func report(_ failures: [String]) throws {
    print("")
    guard !failures.isEmpty else { return print("Everything is as defined.") }
    throw CleanError(failures.joined(separator: "\n"))
  }
}
