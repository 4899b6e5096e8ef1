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
    cases.append(selectColumns(blocks: 2, groupWidth: 3072, groups: 1, keep: 384))
    cases.append(
      selectColumns(
        blocks: 2, groupWidth: 3072, groups: 1, keep: 384, .zeros(2 * 3072), "all zero"))
    return cases
  }

  static func selectColumns(
    blocks: Int, groupWidth: Int, groups: Int, keep: Int, _ values: CaseValues? = nil,
    _ note: String = "random", sliced: Bool = false
  ) -> OperationCase {
    let neurons = groupWidth * groups
    return OperationCase(
      "SelectColumns", "\(keep) of \(groupWidth), \(groups) groups, \(note)",
      [
        .input(
          "sums", blocks, neurons, values ?? .normal(blocks * neurons, seed: 1), sliced: sliced,
          alwaysFloat32: true),
        .output("columns", blocks, groups * keep, .uint16),
      ], tolerance: .exact,
      make: {
        SelectColumns(
          sums: $0["sums"], groupWidth: groupWidth, keepPerGroup: keep, columns: $0["columns"])
      }, run: { try $0.run($1) },
      reference: { numbers in
        let sums = numbers["sums"]
        var lists: [Double] = []
        for block in 0..<blocks {
          for group in 0..<groups {
            let first = group * groupWidth
            let ranked = ranking((first..<first + groupWidth).map { sums[block, $0] })
            lists += ranked.prefix(keep).sorted().map { Double(first + $0) }
          }
        }
        numbers["columns"].values = lists
      })
  }
}
