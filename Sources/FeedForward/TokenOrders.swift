import Compute

/// The orders in which layers take their tokens between forward and backward, and which layers share one.
///
/// Layers that compute sparsely are counted from the first; of every so many the first is the leader, which
/// routes, and the others take its order. Leaders in turn share memory where activations are computed again
/// and no layer follows another: then an order is made anew for the backward pass.
struct TokenOrders {
  private struct Order {
    /// Position → token, int32 [1, T].
    let view: TensorView
    /// Whether the router made it; otherwise tokens stay in place.
    var isRouted = false
  }

  /// For each layer, the layer whose order it takes.
  private let leaders: [Int]
  /// For each layer, which of the orders it takes.
  private let indices: [Int]
  private var orders: [Order] = []

  init(_ shape: FeedForwardShape, _ recipe: SparseFeedForward.Recipe, from arena: Arena) {
    leaders = recipe.leaders
    indices = TokenOrders.indices(shape, recipe)
    for _ in 0..<TokenOrders.count(shape, recipe) {
      orders.append(Order(view: arena.take(rows: 1, columns: shape.tokens, .int32)))
    }
  }

  static func bytes(_ shape: FeedForwardShape, _ recipe: SparseFeedForward.Recipe) -> Int {
    count(shape, recipe) * Arena.bytes(rows: 1, columns: shape.tokens, .int32)
  }

  private static func count(
    _ shape: FeedForwardShape, _ recipe: SparseFeedForward.Recipe
  ) -> Int {
    (indices(shape, recipe).max() ?? -1) + 1
  }

  /// Orders that must outlive the passes of other layers have memory of their own.
  private static func indices(
    _ shape: FeedForwardShape, _ recipe: SparseFeedForward.Recipe
  ) -> [Int] {
    if shape.heldLayers < shape.layers && recipe.layersPerOrder == 1 {
      return Array(repeating: 0, count: shape.layers)
    }
    let distinct = Array(Set(recipe.leaders)).sorted()
    return recipe.leaders.map { leader in distinct.firstIndex(of: leader) ?? 0 }
  }

  /// Whether a layer routes its tokens itself.
  func leads(_ layer: Int) -> Bool { leaders[layer] == layer }

  /// The memory for the order that a layer takes.
  func memory(_ layer: Int) -> TensorView { orders[indices[layer]].view }

  /// Says whether the router has filled a layer's memory.
  mutating func setRouted(_ layer: Int, _ isRouted: Bool) {
    orders[indices[layer]].isRouted = isRouted
  }

  /// The order that a layer takes; nil where its tokens stay in place.
  func order(_ layer: Int) -> TensorView? {
    let order = orders[indices[layer]]
    return order.isRouted ? order.view : nil
  }
}
