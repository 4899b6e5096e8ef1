/// How alike the lists of neighbouring token blocks are: what products 4 and 6 can save by adding
/// several blocks' products at once.
package struct ListOverlap {
  /// Mean share of a block's kept neurons that the block before did not keep; 0 with one block.
  package let change: Double
  /// Mean number of different neurons in four neighbouring lists over K; 1 with one block.
  package let unionOfFour: Double

  /// - Parameters:
  ///   - lists: the blocks' lists one after the other, each of `kept` different neurons.
  package init(lists: [UInt16], kept: Int) {
    let blocks = kept > 0 ? lists.count / kept : 0
    var lastSeen = [Int](repeating: -1, count: 1 << 16)  // the last block that kept a neuron
    var new = 0
    var different = 0
    for block in 0..<blocks {
      let firstOfFour = block & ~3
      for neuron in lists[block * kept..<(block + 1) * kept] {
        let seen = lastSeen[Int(neuron)]
        if block > 0 && seen < block - 1 { new += 1 }
        if seen < firstOfFour { different += 1 }
        lastSeen[Int(neuron)] = block
      }
    }
    change = blocks > 1 ? Double(new) / Double((blocks - 1) * kept) : 0
    unionOfFour = blocks > 0 ? Double(different) / Double((blocks + 3) / 4 * kept) : 1
  }
}
