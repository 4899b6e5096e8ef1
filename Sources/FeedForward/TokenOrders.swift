import Compute

/// The orders in which layers take their tokens between forward and backward, and which layers share one.
///
/// Layers that compute sparsely are counted from the first; of every so many the first is the leader, which
/// routes, and the others take its order. Where activations are computed again and no layer follows
/// another, all share one memory: an order is then made anew for the backward pass. Layers that compute
/// densely have none.
struct TokenOrders {
  private struct Order {
    /// Position → token, int32 [1, T].
    let view: TensorView
    /// The clusters of every block's tokens, where they are wanted.
    let marks: BlockMarks?
    /// Whether the router made it; otherwise tokens stay in place.
    var isRouted = false
  }

  /// For each layer, the layer whose order it takes; nil for one that computes densely.
  private let leaders: [Int?]
  /// For each layer, the key of that order among `orders`.
  private let keys: [Int?]
  private var orders: [Int: Order] = [:]

  init(_ shape: FeedForwardShape, _ recipe: SparseFeedForward.Recipe, from arena: Arena) {
    leaders = recipe.leaders
    keys = TokenOrders.keys(shape, recipe)
    for key in Set(keys).compactMap({ $0 }).sorted() {
      let view = arena.take(rows: 1, columns: shape.tokens, .int32)
      let marks =
        recipe.remembers
        ? BlockMarks(
          clusters: arena.take(
            rows: PackedPattern.blocks(tokens: shape.tokens, blockTokens: recipe.blockTokens),
            columns: BlockMarks.perBlock, .int32),
          blockTokens: recipe.blockTokens) : nil
      orders[key] = Order(view: view, marks: marks)
    }
  }

  static func bytes(_ shape: FeedForwardShape, _ recipe: SparseFeedForward.Recipe) -> Int {
    let blocks = PackedPattern.blocks(tokens: shape.tokens, blockTokens: recipe.blockTokens)
    return Set(keys(shape, recipe).compactMap { $0 }).count
      * (Arena.bytes(rows: 1, columns: shape.tokens, .int32)
        + (recipe.remembers
          ? Arena.bytes(rows: blocks, columns: BlockMarks.perBlock, .int32) : 0))
  }

  /// The leaders', whose orders must outlive the passes of other layers, or one for all.
  private static func keys(
    _ shape: FeedForwardShape, _ recipe: SparseFeedForward.Recipe
  ) -> [Int?] {
    let isShared = shape.heldLayers < shape.layers && recipe.layersPerOrder == 1
    return recipe.leaders.map { leader in isShared && leader != nil ? 0 : leader }
  }

  /// Whether a layer routes its tokens itself.
  func leads(_ layer: Int) -> Bool { leaders[layer] == layer }

  /// The memory for the order that a layer takes, and for marks of its blocks.
  func memory(of layer: Int) -> (order: TensorView, marks: BlockMarks?) {
    guard let key = keys[layer], let order = orders[key] else {
      preconditionFailure("layer \(layer) takes no order")
    }
    return (order.view, order.marks)
  }

  /// The clusters of the blocks of a layer; nil where its tokens stay in place, or nobody asked.
  func marks(_ layer: Int) -> TensorView? {
    guard let key = keys[layer], let order = orders[key], order.isRouted else { return nil }
    return order.marks?.clusters
  }

  /// Says whether the router has filled a layer's memory.
  mutating func setRouted(_ layer: Int, _ isRouted: Bool) {
    if let key = keys[layer] { orders[key]?.isRouted = isRouted }
  }

  /// The order that a layer takes; nil where its tokens stay in place.
  func order(_ layer: Int) -> TensorView? {
    guard let key = keys[layer], let order = orders[key], order.isRouted else { return nil }
    return order.view
  }
}
