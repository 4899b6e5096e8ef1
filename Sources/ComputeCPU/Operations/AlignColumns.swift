public import Compute

extension CPUBackend {
  /// Chains in parallel, the lists of a chain one after the other.
  public func run(_ operation: AlignColumns) throws(ComputeError) {
    operation.checkShapes()
    let columns = operation.columns
    let kept = columns.columns
    let chains = (columns.rows + operation.chain - 1) / operation.chain
    rows.forEachChunk(chains) { _, index in
      var isIncoming = [Bool](repeating: false, count: 1 << 16)
      let first = index * operation.chain
      for block in first..<min(columns.rows, first + operation.chain) where block > first {
        let list = columns.uint16 + block * columns.stride
        let before = list - columns.stride
        let entries = (0..<kept).map { list[$0] }
        for neuron in entries { isIncoming[Int(neuron)] = true }
        var free: [Int] = []
        for slot in 0..<kept {
          let neuron = Int(before[slot])
          if isIncoming[neuron] {
            list[slot] = before[slot]
            isIncoming[neuron] = false
          } else {
            free.append(slot)
          }
        }
        var next = free.makeIterator()
        for neuron in entries where isIncoming[Int(neuron)] {
          if let slot = next.next() { list[slot] = neuron }
          isIncoming[Int(neuron)] = false
        }
      }
    }
  }
}
