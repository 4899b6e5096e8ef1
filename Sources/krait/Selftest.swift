import ArgumentParser
import Compute
import ComputeCPU
import ComputeCUDA
import Foundation
import OperationCases

/// Every operation of this machine's backend against the CPU definition.
struct Selftest: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks every operation of this machine's backend against the definition.",
    discussion: """
      Runs some thousand small cases of every operation: odd sizes, slices of wider matrices, \
      ties, signed zeros, short last blocks. Results are compared with plain double-precision \
      loops and the memory around every result must stay as it was; with float32 storage \
      gradients are compared with finite differences as well. On the CPU every matrix library and \
      every family of Krait's own kernels takes a turn. On a GPU cases run in the storage that \
      training uses (--precision), sizes for tensor cores join them, and a reproducible backend \
      must give the same bits twice. Ends with exit code 1 and the first wrong elements when \
      anything differs.
      """)

  @OptionGroup var machine: BackendOptions
  @Option(
    help: ArgumentHelp(
      "Only cases whose name, sizes and flags contain this text, as they are printed when they "
        + "fail; any of several.", valueName: "text"))
  var only: [String] = []
  @Option(
    help: ArgumentHelp(
      "No cases that contain this text; any of several.", valueName: "text"))
  var except: [String] = []
  @Option(help: "Only every so many-th case of an operation: for slow tools.") var every = 1
  @Option(help: "The first case of --every: 0 to one less; all of them together are everything.")
  var first = 0
  @Flag(help: "Prints every case before it runs, and everything that is wrong.") var verbose = false

  func validate() throws {
    if every < 1 { throw ValidationError("--every is \(every); it must be at least 1") }
    if !(0..<every).contains(first) {
      throw ValidationError("--first is \(first); with --every \(every) it must be below \(every)")
    }
  }

  func run() throws {
    var failures: [String] = []
    let chosen = try machine.open()
    guard let cpu = chosen as? CPUBackend else {
      failures += try check(selected(CaseList.small + CaseList.tiles), on: chosen)
      return try report(failures)
    }
    let cases = try selected(CaseList.small)
    failures += try check(cases, on: chosen)
    // The other ways to compute the same products.
    let products = cases.filter {
      $0.operation == "MatrixMultiply" || $0.operation.hasSuffix("Product")
        || $0.operation.hasPrefix("Attention") || $0.operation == "PackedWeightGradient"
    }
    let others = MatrixLibrary.all().filter { $0.kind != .own } + MatrixLibrary.ownFamilies()
    for library in others where library.name != cpu.library.name && !products.isEmpty {
      print("")
      failures += try check(
        products, on: CPUBackend(threads: cpu.rows.threads, library: library))
    }
    try report(failures)
  }

  /// What `--only` and `--every` leave of a list.
  private func selected(_ cases: [OperationCase]) throws -> [OperationCase] {
    var counts: [String: Int] = [:]
    let chosen = cases.filter { test in
      let name = test.description.lowercased()
      func contains(_ text: String) -> Bool { name.contains(text.lowercased()) }
      guard only.isEmpty || only.contains(where: contains), !except.contains(where: contains) else {
        return false
      }
      defer { counts[test.operation, default: 0] += 1 }
      return counts[test.operation, default: 0] % every == first
    }
    if chosen.isEmpty {
      let names = Set(cases.map(\.operation)).sorted().joined(separator: ", ")
      throw CleanError(
        "no case is left by --only, --except, --every and --first; operations are \(names)")
    }
    return chosen
  }

  /// Prints a table; returns the first mismatch of every operation that has one.
  private func check(
    _ cases: [OperationCase], on backend: any Backend
  ) throws -> [String] {
    print(backend.summary)
    let repeats = (backend as? CUDABackend)?.isReproducible ?? false
    var table = TextTable([
      "operation", "cases", "gradients", "wrong", "worst error / allowed", "result",
    ])
    var failures: [String] = []
    var names: [String] = []
    for test in cases where !names.contains(test.operation) { names.append(test.operation) }
    for name in names {
      var worst = 0.0
      var gradients = 0
      var wrong = 0
      var first: String?
      var worstCase: String?
      let own = cases.filter { $0.operation == name }
      for test in own {
        if verbose {
          print(test)
          // Should a case never return, or a slow tool be stopped, a log says where.
          fflush(nil)
        }
        let result = try CaseCheck(
          test, on: backend, storage: backend.storage, repeats: repeats)
        var mismatches = [result.mismatch?.description]
        if backend.storage == .float32 {
          let slopes = try DerivativeCheck(test, on: backend)
          gradients += slopes.compared
          mismatches.append(slopes.mismatch?.description)
        }
        if result.worstShare >= worst {
          worst = result.worstShare
          if worst > 1 { worstCase = result.mismatch?.description }
        }
        let found = mismatches.compactMap { $0 }
        if !found.isEmpty { wrong += 1 }
        if verbose { for sentence in found { print("  WRONG: \(sentence)") } }
        first = first ?? found.first
      }
      table.add([
        name, "\(own.count)", gradients == 0 ? "" : "\(gradients)", wrong == 0 ? "" : "\(wrong)",
        fixed(worst, 3), first == nil ? "ok" : "WRONG",
      ])
      if let first { failures.append("\(backend.summary): \(first)") }
      if let worstCase, worstCase != first { failures.append("the worst: \(worstCase)") }
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
