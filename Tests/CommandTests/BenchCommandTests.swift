import Foundation
import Testing

/// `krait bench`: what it says beside times, which no test looks at.
struct BenchCommandTests {
  private struct Report: Decodable {
    struct Variant: Decodable {
      let name: String
      let seconds: [Double]
      let energyKept: [Double]?
      let listChange: [Double]?
      let limitTimesDense: [Double?]?
      let feedForwardActivationBytes: Int?
      let allocatedBytes: Int?
    }
    let variants: [Variant]
  }

  private func report(
    _ arguments: [String], environment: [String: String] = [:]
  ) throws -> Report {
    let result = try Command.run(["bench"] + arguments + ["--json"], environment: environment)
    try #require(result.status == 0, "\(result.errors)")
    return try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
  }

  /// The inputs that stand for training have lists that go on from block to block, the random ones
  /// have not; the exact choice keeps the most energy.
  @Test func topicsMakeNeighbouringBlocksAlike() throws {
    let found = try report(
      [
        "ffn", "--backend", "cpu", "--tokens", "2048", "--width", "128", "--hidden", "512",
        "--block", "32", "--samples", "8", "--clusters", "16", "--densities", "0.125",
        "--rounds", "1", "--all",
      ])
    func figure(_ start: String, _ end: String) throws -> (change: Double, energy: Double) {
      let variant = try #require(
        found.variants.first { $0.name.hasPrefix(start) && $0.name.contains(end) })
      return (try #require(variant.listChange?.first), try #require(variant.energyKept?.first))
    }
    let alike = try figure("columns sampled", "8 topics")
    let random = try figure("columns sampled", "random")
    #expect(alike.change < 0.2 && random.change > 0.25, "\(alike), \(random)")
    #expect(alike.energy > 0.7 && random.energy < 0.5, "\(alike), \(random)")
    let exact = try figure("columns exact 0.125,", "8 topics")
    #expect(exact.energy >= alike.energy)
  }

  @Test func aStepIsMeasuredInBothModesOnOneModel() throws {
    let found = try report(
      [
        "step", "--backend", "cpu", "--layers", "2", "--width", "64", "--hidden", "512",
        "--sequences", "2",
        "--sequence", "128", "--head-width", "32", "--block", "256", "--rounds", "2",
      ])
    #expect(found.variants.map(\.name) == ["dense", "columns sampled 0.125"])
    #expect(found.variants.allSatisfy { $0.seconds.count == 2 })
    let limit = try #require(found.variants.first?.limitTimesDense?.first ?? nil)
    #expect(limit > 1)
    let saved = found.variants.compactMap(\.feedForwardActivationBytes)
    let held = found.variants.compactMap(\.allocatedBytes)
    #expect(saved.count == 2 && held.count == 2)
    // Lists and the order of tokens lie beside the packed eighth.
    #expect(saved[1] * 7 < saved[0])
    #expect(held[1] < held[0])
  }

  /// Memory for one model and no more suffices for both modes; less is refused at once.
  @Test(.enabled(if: FakeGPU.compiler != nil, "there is no C compiler"))
  func aStepNeedsMemoryForOneModel() throws {
    let gpu = try FakeGPU()
    defer { gpu.delete() }
    let arguments = [
      "step", "--backend", "cuda", "--layers", "4", "--width", "256", "--sequences", "8",
      "--rounds", "1",
    ]
    // A matrix rate needs three matrices of 8192 x 8192 beside the model.
    let rate = 3 * 8192 * 8192 * 2
    let held = try report(arguments, environment: gpu.environment()).variants
      .compactMap(\.allocatedBytes)
    #expect(held.count == 2)
    let most = held.max() ?? 0
    let enough = ["KRAIT_FAKE_MEMORY": "\(most + rate + (8 << 20))"]
    #expect(try report(arguments, environment: gpu.environment(enough)).variants.count == 2)
    let little = try Command.run(
      ["bench"] + arguments, environment: gpu.environment(["KRAIT_FAKE_MEMORY": "\(most / 2)"]))
    #expect(little.status == 1)
    #expect(little.errors.contains("of GPU memory and "), "\(little.errors)")
    #expect(little.errors.contains("--sequences"))
  }
}
