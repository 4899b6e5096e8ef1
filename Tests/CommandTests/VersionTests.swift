import Foundation
import Testing

@Suite struct VersionTests {
  @Test func helpNamesEveryVerb() throws {
    let result = try Command.run(["--help"])
    #expect(result.status == 0)
    for verb in ["train", "evaluate", "generate", "plan", "bench", "doctor"] {
      #expect(result.output.contains(verb))
    }
  }
}
