import Corpus
import Foundation
import Testing

@Suite struct CharacterClassesTests {
  /// Every one of the 1,112,064 characters is of the class that the regular expressions of
  /// Hugging Face `tokenizers` see.
  @Test func everyCharacterIsOfTheClassThatHuggingFaceSees() throws {
    let text = try String(contentsOfFile: Fixtures.path("character-classes.txt"), encoding: .utf8)
    var expected = [UInt8](repeating: CharacterClasses.other, count: 0x110000)
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      let first = try #require(Int(fields[0], radix: 16))
      let last = try #require(Int(fields[1], radix: 16))
      for value in first...last { expected[value] = try #require(UInt8(fields[2])) }
    }
    let wrong = (0..<0x110000).filter {
      !(0xD800..<0xE000).contains($0)
        && CharacterClasses.shared.ofScalar(UInt32($0)) != expected[$0]
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(10).map { String($0, radix: 16) })")
  }
}
