public import Compute

/// Weights of one layer's feed-forward network and where their gradients are added.
///
/// Both projections are stored neuron-major, [f, d]: row n belongs to neuron n.
public struct FeedForwardWeights: Sendable {
  /// U.
  public var up: TensorView
  /// D.
  public var down: TensorView
  /// Gradient of U, added to unless `replacesGradients`.
  public var upGradient: TensorView
  /// Gradient of D, added to unless `replacesGradients`.
  public var downGradient: TensorView
  /// Whether dense products write gradients instead of adding to them; sparse ones always add.
  public var replacesGradients = false

  /// See the properties.
  public init(
    up: TensorView, down: TensorView, upGradient: TensorView, downGradient: TensorView
  ) {
    self.up = up
    self.down = down
    self.upGradient = upGradient
    self.downGradient = downGradient
  }

  /// The same gradients beside other weights.
  func replacing(up: TensorView, down: TensorView) -> FeedForwardWeights {
    FeedForwardWeights(
      up: up, down: down, upGradient: upGradient, downGradient: downGradient)
  }
}

/// The sizes that every method's memory follows from.
public struct FeedForwardShape: Sendable, Equatable {
  /// T: tokens of a micro-batch.
  public var tokens: Int
  /// d: model width.
  public var width: Int
  /// f: neurons.
  public var hiddenWidth: Int
  /// The number of layers.
  public var layers: Int
  /// The type of activations and weights: the backend's `storage`.
  public var storage: ElementType
  /// Layers whose activations are held at once: all of them, or 1, when every layer is computed
  /// again before its backward pass.
  public var heldLayers: Int

  /// See the properties; all layers are held unless said otherwise.
  public init(
    tokens: Int, width: Int, hiddenWidth: Int, layers: Int, storage: ElementType = .float32,
    heldLayers: Int? = nil
  ) {
    precondition(heldLayers == nil || heldLayers == 1 || heldLayers == layers, "layers held")
    self.tokens = tokens
    self.width = width
    self.hiddenWidth = hiddenWidth
    self.layers = layers
    self.storage = storage
    self.heldLayers = heldLayers ?? layers
  }
}

/// One way to compute `Y = (relu(X Uᵀ)² ⊙ mask) D` and the exact gradient of that function.
///
/// A method owns what it keeps between forward and backward, for all layers or the one at work. To add a recipe,
/// conform to this and name it in `FeedForwardStack`.
public protocol FeedForwardMethod: AnyObject {
  /// Bytes kept per layer between forward and backward.
  var savedBytesPerLayer: Int { get }

  /// The order in which a layer's other calls take the rows of `input`, until the next call: int32
  /// [1, T], position → token; nil for tokens in place. Call it before `forward` and `recompute`.
  ///
  /// - Parameters:
  ///   - hidden: what the input is the norm of, [T, d], tokens in place; or the input itself.
  ///   - gain: the weights of that norm, float32 [1, d]; nil for none. A token's length does not
  ///     matter to its order.
  func route(
    layer: Int, hidden: TensorView, gain: TensorView?
  ) throws(ComputeError) -> TensorView?

  /// Where the next `forward` or `recompute` of a layer wants rows of its input in 8 bits, after `route`;
  /// nil for nowhere. It does without if nobody makes them.
  func eightBitCopy(layer: Int) -> RMSNorm.EightBitCopy?

  /// `output = residual + Y(input)`. Shapes: all [T, d]; output may be residual. Rows of input in
  /// the order of `route`, the others in place; `hasCopy`: whether they lie where `eightBitCopy` said
  /// as well.
  func forward(
    layer: Int, weights: FeedForwardWeights, input: TensorView, hasCopy: Bool,
    residual: TensorView, output: TensorView
  ) throws(ComputeError)

  /// Computes again what the forward pass of a layer kept for its backward pass, bit for bit, and
  /// neither its output nor statistics. Weights, input and its order are what they were.
  func recompute(
    layer: Int, weights: FeedForwardWeights, input: TensorView, hasCopy: Bool
  ) throws(ComputeError)

  /// Where the backward pass of a layer wants dY a second time, its rows in the order of `route`, from
  /// now until then; nil for nowhere. It makes its own copy if nobody does.
  func outputGradientCopy(layer: Int) -> RMSNorm.OrderedCopy?

  /// From dY: `inputGradient = dX`, and adds to the weight gradients. Shapes: all [T, d]. Rows of
  /// input in the order of `route`, gradients in place; `hasCopy`: whether dY lies where
  /// `outputGradientCopy` said as well.
  func backward(
    layer: Int, weights: FeedForwardWeights, input: TensorView, outputGradient: TensorView,
    hasCopy: Bool, inputGradient: TensorView
  ) throws(ComputeError)

  /// Called when the weights have changed: at the start of every optimizer step.
  func weightsChanged()

  /// When not nil, forward passes measure this layer's sparsity and put it here.
  var statistics: SparsityStatistics? { get set }
}
