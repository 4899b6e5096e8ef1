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
    /// Whether the router made it; otherwise tokens stay in place.
    var isRouted = false
  }

  /// For each layer, the layer whose order it takes; nil for one that computes densely.
  private let leaders: [Int?]
  /// For each leader, which of the orders it makes.
  private let places: [Int: Int]
  private var orders: [Order] = []

  init(_ shape: FeedForwardShape, _ recipe: SparseFeedForward.Recipe, from arena: Arena) {
    leaders = recipe.leaders
    places = TokenOrders.places(shape, recipe)
    for _ in Set(places.values) {
      orders.append(Order(view: arena.take(rows: 1, columns: shape.tokens, .int32)))
    }
  }

  static func bytes(_ shape: FeedForwardShape, _ recipe: SparseFeedForward.Recipe) -> Int {
    Set(places(shape, recipe).values).count * Arena.bytes(rows: 1, columns: shape.tokens, .int32)
  }

  /// Orders that must outlive the passes of other layers have memory of their own.
  private static func places(
    _ shape: FeedForwardShape, _ recipe: SparseFeedForward.Recipe
  ) -> [Int: Int] {
    let isShared = shape.heldLayers < shape.layers && recipe.layersPerOrder == 1
    let all = Set(recipe.leaders.compactMap { $0 }).sorted()
    return Dictionary(
      uniqueKeysWithValues: all.enumerated().map { ($1, isShared ? 0 : $0) })
  }

  /// Whether a layer routes its tokens itself.
  func leads(_ layer: Int) -> Bool { leaders[layer] == layer }

  /// The memory for the order that a layer makes.
  func memory(of leader: Int) -> TensorView {
    guard let place = places[leader] else { preconditionFailure("layer \(leader) makes no order") }
    return orders[place].view
  }

  /// Says whether the router has filled a leader's memory.
  mutating func setRouted(_ leader: Int, _ isRouted: Bool) {
    guard let place = places[leader] else { return }
    orders[place].isRouted = isRouted
  }

  /// The order that a layer takes; nil where its tokens stay in place.
  func order(_ layer: Int) -> TensorView? {
    guard let leader = leaders[layer], let place = places[leader], orders[place].isRouted else {
      return nil
    }
    return orders[place].view
  }
}
