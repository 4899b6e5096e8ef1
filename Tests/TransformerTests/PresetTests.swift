import Testing
import Transformer

@Suite struct PresetTests {
  @Test(arguments: Preset.allCases)
  func everyPresetHasSizesThatFit(preset: Preset) {
    #expect(preset.model.problems().isEmpty)
  }
}
