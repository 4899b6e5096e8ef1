import Compute

extension CaseList {
  static var selectColumns: [OperationCase] {
    var cases: [OperationCase] = []
    // Every number kept of every small width: short lists and long ones take different paths.
    for width in Array(1...9) + [63, 64, 65, 66, 130] {
      for keep in Set([0, 1, 2, 3, width / 2, width - 1, width]).sorted() where keep <= width {
        guard keep >= 1 else { continue }
        for (note, nonNegative, withNaN) in [
          ("ties", true, false), ("signs", false, false), ("NaN", false, true),
        ] {
          cases.append(
            selectColumns(
              blocks: 3, groupWidth: width, groups: 1, keep: keep,
              .ties(3 * width, seed: width, nonNegative: nonNegative, withNaN: withNaN), note))
        }
        cases.append(
          selectColumns(blocks: 2, groupWidth: width, groups: 3, keep: keep, sliced: true))
      }
    }
    for (width, groups) in [(5, 3), (130, 1), (1001, 1), (3000, 2), (20_000, 1)] {
      for blocks in [1, 2, 3, 7] {
        cases.append(
          selectColumns(
            blocks: blocks, groupWidth: width, groups: groups, keep: width / 3,
            .ties(blocks * width * groups, seed: 4), "ties", sliced: blocks == 2,
            neighbourWeight: 0.5))
      }
    }
    for (width, groups) in [(5, 3), (130, 1), (1001, 1), (3072, 1), (8000, 1), (20_000, 1)] {
      for (blocks, clusters) in [(1, 1), (2, 5), (7, 3)] {
        cases.append(
          selectColumns(
            blocks: blocks, groupWidth: width, groups: groups, keep: width / 3,
            .ties(blocks * width * groups, seed: 4), "ties", sliced: blocks == 2,
            neighbourWeight: blocks == 7 ? 0.5 : 0, clusters: clusters))
      }
    }
    cases.append(selectColumns(blocks: 2, groupWidth: 3072, groups: 1, keep: 384))
    cases.append(
      selectColumns(
        blocks: 2, groupWidth: 3072, groups: 1, keep: 384, .zeros(2 * 3072), "all zero"))
    return cases
  }

  static func selectColumns(
    blocks: Int, groupWidth: Int, groups: Int, keep: Int, _ values: CaseValues? = nil,
    _ note: String = "random", sliced: Bool = false, neighbourWeight: Float = 0,
    clusters: Int = 0
  ) -> OperationCase {
    let neurons = groupWidth * groups
    let memory: [CaseTensor] =
      clusters == 0
      ? []
      : [
        .input(
          "remembered", clusters, neurons, .fewSmallValues(clusters * neurons, seed: 5),
          sliced: sliced, alwaysFloat32: true),
        .input(
          "marks", blocks, BlockMarks.perBlock,
          .tokens(blocks * BlockMarks.perBlock, below: clusters, seed: 6)),
      ]
    return OperationCase(
      "SelectColumns",
      "\(keep) of \(groupWidth), \(groups) groups, \(note)"
        + "\(neighbourWeight == 0 ? "" : ", neighbours by \(neighbourWeight)")"
        + (clusters == 0 ? "" : ", \(clusters) clusters remembered"),
      [
        .input(
          "sums", blocks, neurons, values ?? .normal(blocks * neurons, seed: 1), sliced: sliced,
          alwaysFloat32: true),
        .output("columns", blocks, groups * keep, .uint16),
      ] + memory, tolerance: .exact,
      make: {
        SelectColumns(
          sums: $0["sums"], groupWidth: groupWidth, keepPerGroup: keep,
          neighbourWeight: neighbourWeight,
          remembered: clusters == 0
            ? nil : SelectColumns.Remembered(sums: $0["remembered"], marks: $0["marks"]),
          columns: $0["columns"])
      }, run: { try $0.run($1) },
      reference: { numbers in
        let sums = numbers["sums"]
        func weight(of other: Int, for block: Int) -> Double {
          switch abs(other - block) {
          case 0: 1
          case 1: Double(neighbourWeight)
          case 2: Double(neighbourWeight) * Double(neighbourWeight)
          default: 0
          }
        }
        /// The mean of what is remembered for the clusters of a block's marks.
        func remembered(_ neuron: Int, for block: Int) -> Double {
          guard clusters > 0 else { return 0 }
          return (0..<BlockMarks.perBlock).reduce(0) {
            $0 + numbers["remembered"][Int(numbers["marks"][block, $1]), neuron] / 4
          }
        }
        var lists: [Double] = []
        for block in 0..<blocks {
          for group in 0..<groups {
            let first = group * groupWidth
            let ranked = ranking(
              (first..<first + groupWidth).map { neuron in
                // Nothing times an infinite sum would be no number.
                (0..<blocks).filter { weight(of: $0, for: block) != 0 }
                  .reduce(remembered(neuron, for: block)) {
                    $0 + weight(of: $1, for: block) * sums[$1, neuron]
                  }
              })
            lists += ranked.prefix(keep).sorted().map { Double(first + $0) }
          }
        }
        numbers["columns"].values = lists
      })
  }
}
