import FeedForward
import Foundation
import Testing
import Training
import Transformer

@Suite struct ConfigurationTests {
  private func mistakes(_ text: String, overrides: [String] = []) -> [String] {
    do {
      _ = try RunConfiguration.parse(text, name: "run.toml", overrides: overrides)
      return []
    } catch {
      return (error as? ConfigurationError)?.mistakes ?? ["\(error)"]
    }
  }

  @Test func threeMistakesAreThreeSentencesWithTheNearestKey() throws {
    let text = """
      [model]
      widht = 128
      [shedule]
      steps = 3
      [optimizer]
      learningRate = 1.0
      """
    #expect(
      mistakes(text) == [
        "run.toml: there is no table [shedule]; did you mean [schedule]?",
        "run.toml: there is no setting model.widht; did you mean model.width?",
        "run.toml: there is no setting optimizer.learningRate; did you mean "
          + "schedule.learningRate?",
      ])
    let error = #expect(throws: ConfigurationError.self) {
      try RunConfiguration.parse(text, name: "run.toml")
    }
    #expect(
      error?.description.hasPrefix("3 mistakes in the configuration:\n  - run.toml: ") == true)
  }

  @Test(arguments: RunConfiguration.keys.map(\.path))
  func aMisspeltKeyFindsItself(path: String) throws {
    let key = try #require(RunConfiguration.keys.first { $0.path == path })
    var name = key.name
    name.removeFirst()
    #expect(
      mistakes("[\(key.section)]\n\(name) = 1") == [
        "run.toml: there is no setting \(key.section).\(name); did you mean \(path)?"
      ])
  }

  @Test func aKeyThatResemblesNothingGetsTheList() {
    #expect(
      mistakes("[run]\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq = 1") == [
        "run.toml: there is no setting run.qqqqqqqqqqqqqqqqqqqqqqqqqqqqqq; "
          + "'krait train --settings' lists all"
      ])
    #expect(
      mistakes("steps = 1") == [
        "run.toml: 'steps' stands outside of every table; settings belong into one of [data] "
          + "[device] [feedForward] [model] [optimizer] [run] [schedule]"
      ])
  }

  @Test func wrongKindsSayWhatIsExpected() {
    #expect(
      mistakes(
        """
        [model]
        layers = 2.5
        tiedEmbeddings = "yes"
        [feedForward]
        mode = "sparse"
        densities = "all"
        [run]
        name = 3
        [schedule]
        phases = [{ mode = "dense" }]
        """) == [
          "run.toml: feedForward.densities is \"all\"; it must be a list of numbers",
          "run.toml: feedForward.mode is \"sparse\"; it must be one of \"dense\", \"paper\", "
            + "\"columns\"",
          "run.toml: model.layers is 2.5; it must be a whole number",
          "run.toml: model.tiedEmbeddings is \"yes\"; it must be true or false",
          "run.toml: run.name is 3; it must be a string",
          "run.toml: schedule.phases is [{ mode = \"dense\" }]; it must be a list of "
            + "{ mode = \"…\", steps = … }",
        ])
  }

  @Test func textThatIsNotTOMLNamesTheLine() throws {
    let found = mistakes("[model]\nwidth = = 3\n")
    #expect(found.count == 1)
    #expect(found[0].hasPrefix("run.toml, line 2: not valid TOML: "))
  }

  @Test func sizesThatDoNotFitAreAllListed() {
    #expect(
      mistakes(
        """
        [model]
        heads = 6
        keyValueHeads = 4
        headWidth = 7
        width = 30
        [data]
        batch = 8
        microBatch = 3
        [feedForward]
        mode = "paper"
        venomM = 24
        [device]
        backend = "tpu"
        """) == [
          "model.headWidth is 7; rotary embedding needs an even number",
          "model.keyValueHeads is 4; it must divide model.heads, 6",
          "feedForward.venomM is 24; it must be at least 4 and divide the "
            + "\(RunConfiguration().model.hiddenWidth) neurons",
          "model.width is 30; 2:4 weights need a multiple of 4 (or set feedForward.sparseWeights "
            + "= \"none\")",
          "data.microBatch is 3, which does not divide data.batch, 8",
          "device.backend is 'tpu'; it must be auto, cpu or cuda",
        ])
  }

  @Test(arguments: [
    ("[schedule]\nlearningRate = nan", "schedule.learningRate is nan; it must be above 0"),
    ("[schedule]\nlearningRate = inf", "schedule.learningRate is inf; it must be above 0"),
    ("[schedule]\nsteps = 0", "schedule.steps is 0; it must be at least 1"),
    (
      "[schedule]\nsparseFraction = 1.5",
      "schedule.sparseFraction is 1.5; it must be between 0 and 1"
    ),
    ("[optimizer]\nbeta2 = 1", "optimizer.beta2 is 1.0; it must be at least 0 and below 1"),
    ("[optimizer]\nepsilon = 0", "optimizer.epsilon is 0.0; it must be above 0"),
    ("[optimizer]\nmaximumSkips = 0", "optimizer.maximumSkips is 0; it must be at least 1"),
    ("[run]\nname = \"a/b\"", "run.name is 'a/b'; it must be a folder name without '/'"),
    ("[run]\nkeepCheckpoints = 0", "run.keepCheckpoints is 0; it must be at least 1"),
    ("[model]\nropeTheta = nan", "model.ropeTheta is nan; it must be above 1"),
    ("[model]\nvocabulary = 99", "model.vocabulary is 99; the built-in corpus in bytes needs 257"),
    (
      "[model]\npreset = \"2b\"",
      "run.toml: the preset '2b' does not exist; there are tiny, 124m, 350m, 1b, 7b"
    ),
    (
      "[data]\ntrain = [{ path = \"x\", weight = 0 }]",
      "data.train: 'x' has the weight 0.0; it must be above 0"
    ),
    (
      "[feedForward]\nmode = \"dense\"\n[schedule]\nphases = [{ mode = \"columns\", steps = 3 }]",
      "schedule.phases has a 'columns' phase, but feedForward.mode is dense; set "
        + "feedForward.mode to it"
    ),
    (
      "[feedForward]\nlayersPerOrder = 0",
      "feedForward.layersPerOrder is 0; it must be at least 1, which is an order for every layer"
    ),
    (
      "[feedForward]\ncentroidInterval = -1",
      "feedForward.centroidInterval is -1; it must be 0 (never) or more"
    ),
    (
      "[feedForward]\ncentroidInterval = 20\nreclusterInterval = 300",
      "feedForward.reclusterInterval 300 would take the centroids back that "
        + "feedForward.centroidInterval 20 moves; set one of them to 0"
    ),
    (
      "[device]\ngradients = \"half\"",
      "device.gradients is 'half'; it must be auto or float32"
    ),
  ])
  func valuesThatCannotWorkGetASentence(text: String, sentence: String) {
    #expect(mistakes(text) == [sentence])
  }

  /// Every key gets a value other than its default, goes through TOML and comes back.
  @Test(arguments: RunConfiguration.keys.map(\.path))
  func everyKeyRoundTripsThroughTOML(path: String) throws {
    let other: [String: String] = [
      "model.heads": "8", "model.hiddenWidth": "2048", "feedForward.blockTokens": "64",
      "optimizer.maximumSkips": "6", "model.keyValueHeads": "1", "model.headWidth": "34",
      "model.vocabulary": "300", "model.tiedEmbeddings": "true", "model.ropeTheta": "123456.75",
      "model.normEpsilon": "1e-7", "model.initializerRange": "0.0123456789012345",
      "feedForward.mode": "\"paper\"", "feedForward.selection": "\"exact\"",
      "feedForward.density": "0.3", "feedForward.neighbourWeight": "0.25",
      "feedForward.clusters": "7", "feedForward.eightBitChoice": "true",
      "feedForward.sparseWeights": "\"both\"", "feedForward.venomM": "8",
      "feedForward.weightGradientPattern": "\"venom\"", "feedForward.profile": "\"ends\"",
      "feedForward.chooseBy": "\"squares\"",
      "data.train": "[{ path = \"a \\\"b\\\" \\\\ ü\\n\\u0001\", weight = 0.1 }]",
      "data.batch": "16", "data.microBatch": "4", "schedule.shape": "\"cosine\"",
      "schedule.phases": "[{ mode = \"dense\", steps = 3 }, { mode = \"columns\", steps = 9 }]",
      "device.backend": "\"cpu\"", "device.reproducible": "false",
      "device.precision": "\"float32\"", "device.gradients": "\"float32\"",
      "device.recompute": "\"layer\"",
      "optimizer.beta1": "0.8", "optimizer.beta2": "0.99",
      "feedForward.reclusterInterval": "5\ncentroidInterval = 0",
    ]
    let key = try #require(RunConfiguration.keys.first { $0.path == path })
    let layers = RunConfiguration().model.layers
    var value = other[path]
    if path == "feedForward.densities" {
      value = "[" + Array(repeating: "0.2", count: layers).joined(separator: ", ") + "]"
    }
    let base = RunConfiguration()
    if value == nil {
      let text = base.toml.split(separator: "\n").first { $0.hasPrefix(key.name + " = ") } ?? ""
      value = text.contains("\"") ? "\"tab\\t and 'quotes'\"" : text.contains(".") ? "0.75" : "5"
    }
    let changed = try RunConfiguration.parse(
      "[\(key.section)]\n\(key.name) = \(try #require(value))", name: "x")
    #expect(changed != base)
    #expect(try RunConfiguration.parse(changed.toml, name: "y") == changed)
    #expect(try RunConfiguration.parse(changed.toml, name: "y").toml == changed.toml)
  }

  @Test(arguments: Preset.allCases)
  func everyPresetIsValidAndRoundTrips(preset: Preset) throws {
    let configuration = try RunConfiguration.read(preset: preset.rawValue)
    #expect(configuration.model == preset.model)
    #expect(try RunConfiguration.parse(configuration.toml, name: "x") == configuration)
  }

  /// A run that is older than a setting goes on as it was, whatever the presets say by now.
  @Test func aSettingThatARunDoesNotNameChangesNothing() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/config.toml"
    let now = try RunConfiguration.read(preset: "tiny")
    #expect(now.feedForward.centroidInterval > 0)
    let lines = now.toml.split(separator: "\n", omittingEmptySubsequences: false)
    try lines.filter { !$0.hasPrefix("centroidInterval") }.joined(separator: "\n")
      .write(toFile: path, atomically: true, encoding: .utf8)
    var expected = now
    expected.feedForward.centroidInterval = 0
    #expect(try RunConfiguration.read(resolved: path) == expected)
    expected.schedule.steps = 9
    #expect(
      try RunConfiguration.read(resolved: path, overrides: ["schedule.steps=9"]) == expected)
    let run = RunFolder(folder.path)
    expected.schedule.steps = now.schedule.steps
    #expect(try run.configuration() == expected)
  }

  @Test func presetThenFileThenOverrides() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/run.toml"
    try """
    [model]
    preset = "124m"
    layers = 3
    [schedule]
    steps = 7
    """.write(toFile: path, atomically: true, encoding: .utf8)
    let read = try RunConfiguration.read(path: path, overrides: ["schedule.steps=9"])
    #expect(read.model.width == 768 && read.model.layers == 3 && read.schedule.steps == 9)
    // The command line's preset wins over the file's; the file's settings stay on top of it.
    let other = try RunConfiguration.read(path: path, preset: "350m")
    #expect(other.model.width == Preset.m350.model.width && other.model.layers == 3)
    #expect(
      try RunConfiguration.read(overrides: ["model.preset=124m"]).model == Preset.m124.model)
    let error = #expect(throws: ConfigurationError.self) {
      try RunConfiguration.read(path: "/nowhere.toml")
    }
    #expect(
      error?.description == "cannot read the configuration '/nowhere.toml': it does not exist")
  }

  @Test func overridesTakeTOMLOrBareStrings() throws {
    let read = try RunConfiguration.read(overrides: [
      "run.name=a b", "run.folder=\"quoted\"", "run.samplePrompt=1", "data.train=some/path",
      "data.validation=", "feedForward.mode=dense", "schedule.learningRate=1e-3",
      "model.tiedEmbeddings=true", "optimizer.epsilon=1", "run.seed=7", "run.seed=8",
    ])
    #expect(read.run.name == "a b" && read.run.folder == "quoted" && read.run.samplePrompt == "1")
    #expect(read.data.train == [DataConfiguration.Source(path: "some/path")])
    #expect(read.feedForward.mode == .dense && read.schedule.learningRate == 0.001)
    #expect(read.model.tiedEmbeddings && read.optimizer.epsilon == 1 && read.run.seed == 8)
    let mixed = try RunConfiguration.read(overrides: [
      #"data.train=["a", { path = "b", weight = 2 }]"#,
      #"schedule.phases=[{ mode = "dense", steps = 2 }]"#,
    ])
    #expect(mixed.data.train.map(\.weight) == [1, 2])
    #expect(mixed.schedule.phases.count == 1)
  }

  @Test(arguments: [
    (
      "steps=3",
      "--set 'steps=3' is not of the form section.key=value; did you mean schedule.steps?"
    ),
    (
      "schedule.steps",
      "--set 'schedule.steps' is not of the form section.key=value; it must be a whole number, for "
        + "example schedule.steps=\(RunConfiguration().schedule.steps)"
    ),
    ("schedule.steps=many", "--set: schedule.steps is many; it must be a whole number"),
    ("schedule.step=3", "--set: there is no setting schedule.step; did you mean schedule.steps?"),
    ("model.seed=3", "--set: there is no setting model.seed; did you mean run.seed?"),
    (
      "feedForward.mode=sparse",
      "--set: feedForward.mode is sparse; it must be one of \"dense\", \"paper\", \"columns\""
    ),
  ])
  func wrongOverridesGetASentence(override: String, sentence: String) {
    #expect(mistakes("", overrides: [override]) == [sentence])
  }
}
