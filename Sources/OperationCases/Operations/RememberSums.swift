import Compute

extension CaseList {
  static var rememberSums: [OperationCase] {
    var cases: [OperationCase] = []
    for clusters in [1, 2, 5, 70] {
      for blocks in [1, 3, 64, 130] {
        let neurons = [5, 1024, 1027, 300][(clusters + blocks) % 4]
        cases.append(rememberSums(blocks: blocks, neurons: neurons, clusters: clusters, rate: 0.1))
        cases.append(
          rememberSums(
            blocks: blocks, neurons: neurons, clusters: clusters, rate: 1, sliced: true))
      }
    }
    return cases
  }

  static func rememberSums(
    blocks: Int, neurons: Int, clusters: Int, rate: Float, sliced: Bool = false
  ) -> OperationCase {
    OperationCase(
      "RememberSums",
      "\(blocks) blocks of \(neurons), \(clusters) clusters, rate \(rate)\(sliced ? ", sliced" : "")",
      [
        .input(
          "sums", blocks, neurons, .activations(blocks * neurons, seed: 1), sliced: sliced,
          alwaysFloat32: true),
        .input(
          "marks", blocks, BlockMarks.perBlock,
          .tokens(blocks * BlockMarks.perBlock, below: clusters, seed: 2)),
        .input(
          "before", clusters, neurons, .activations(clusters * neurons, seed: 3), sliced: sliced,
          alwaysFloat32: true),
        .output("after", clusters, neurons, sliced: sliced, alwaysFloat32: true),
      ],
      tolerance: Tolerance(
        roundings: 6 + Double(4 * blocks).squareRoot(), reason: "sums of blocks, and their mean"),
      make: {
        RememberSums(
          sums: $0["sums"], marks: $0["marks"], rate: rate, before: $0["before"],
          after: $0["after"])
      }, run: { try $0.run($1) },
      reference: { numbers in
        let (sums, marks, before) = (numbers["sums"], numbers["marks"], numbers["before"])
        for cluster in 0..<clusters {
          let own = (0..<blocks).flatMap { block in
            (0..<BlockMarks.perBlock).filter { Int(marks[block, $0]) == cluster }.map { _ in block }
          }
          for neuron in 0..<neurons {
            let old = before[cluster, neuron]
            let mean = own.reduce(0) { $0 + sums[$1, neuron] } / Double(max(1, own.count))
            numbers.add(
              own.isEmpty ? old : old + Double(rate) * (mean - old), to: "after", cluster, neuron)
          }
        }
      })
  }
}
