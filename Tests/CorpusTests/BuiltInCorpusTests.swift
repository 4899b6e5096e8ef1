import Corpus
import Testing

@Suite struct BuiltInCorpusTests {
  @Test func isAtLeastAMegabyteAndAlwaysTheSame() {
    let bytes = BuiltInCorpus.standard.training.reduce(0) { $0 + $1.utf8.count }
    #expect(bytes >= 1_000_000)
  }

  @Test func trainingAndValidationShareNoDocument() {
    let corpus = BuiltInCorpus.standard
    #expect(Set(corpus.training).isDisjoint(with: corpus.validation))
  }
}
