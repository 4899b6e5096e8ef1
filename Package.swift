// swift-tools-version: 6.2
import PackageDescription

// The same settings for every Swift target: Swift 6 concurrency, warnings are errors.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let toml = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")

let package = Package(
  name: "krait",
  products: [
    .executable(name: "krait", targets: ["krait"]),
    .library(name: "Krait", targets: ["Training", "ComputeCPU", "ComputeCUDA"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
  ],
  targets: [
    // What can be computed; what it means; how the host's cores do it.
    .target(name: "Compute", swiftSettings: settings),
    .target(name: "CPUKernels"),
    .target(name: "ComputeCPU", dependencies: ["Compute", "CPUKernels"], swiftSettings: settings),

    // The same on NVIDIA GPUs: libraries opened at run time, kernels compiled there.
    .target(name: "CUDAInterface"),
    .target(name: "KernelSources", exclude: ["kernels"]),
    .target(
      name: "ComputeCUDA", dependencies: ["Compute", "CUDAInterface", "KernelSources", crypto],
      swiftSettings: settings),

    // Every operation at awkward sizes: what tests, selftest and benchmarks are driven by.
    .target(name: "OperationCases", dependencies: ["Compute"], swiftSettings: settings),

    // The idea of this project, and the model around it.
    .target(name: "FeedForward", dependencies: ["Compute"], swiftSettings: settings),
    .target(
      name: "Transformer", dependencies: ["FeedForward", "Compute"], swiftSettings: settings),

    // Tokens, other people's formats, and what happens over time.
    .target(name: "Corpus", swiftSettings: settings),
    .target(name: "Interchange", swiftSettings: settings),
    .target(
      name: "Training",
      dependencies: [
        "Transformer", "FeedForward", "Compute", "Corpus", "Interchange", crypto, toml,
      ],
      swiftSettings: settings),

    // The command: the only place that names a concrete backend.
    .executableTarget(
      name: "krait",
      dependencies: [
        "Training", "Transformer", "FeedForward", "Compute", "ComputeCPU", "ComputeCUDA",
        "OperationCases", "Corpus", "Interchange", argumentParser,
      ],
      swiftSettings: settings),

    // Tests mirror the modules. They see public and package declarations, no more, so that the
    // release build they run is the one that ships.
    .testTarget(name: "ComputeTests", dependencies: ["Compute"], swiftSettings: settings),
    .testTarget(
      name: "ComputeCPUTests", dependencies: ["Compute", "ComputeCPU", "OperationCases"],
      swiftSettings: settings),
    .testTarget(
      name: "ComputeCUDATests", dependencies: ["Compute", "ComputeCUDA", "OperationCases"],
      swiftSettings: settings),
    .testTarget(
      name: "FeedForwardTests", dependencies: ["FeedForward", "Compute", "ComputeCPU"],
      swiftSettings: settings),
    .testTarget(
      name: "TransformerTests",
      dependencies: ["Transformer", "FeedForward", "Compute", "ComputeCPU"],
      exclude: ["Fixtures"], swiftSettings: settings),
    .testTarget(
      name: "CorpusTests", dependencies: ["Corpus"], exclude: ["Fixtures"],
      swiftSettings: settings),
    .testTarget(name: "InterchangeTests", dependencies: ["Interchange"], swiftSettings: settings),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Training", "Transformer", "FeedForward", "Compute", "ComputeCPU", "Corpus", "Interchange",
      ],
      swiftSettings: settings),
    // Runs the command as a user would; it needs the executable, not its module.
    .testTarget(
      name: "CommandTests", dependencies: ["krait"], exclude: ["FakeGPU"],
      swiftSettings: settings),
  ]
)
