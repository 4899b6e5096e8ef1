/// Which of the parts that a `tokenizer.json` may have are understood; what is not is named.
extension TokenizerFile {
  /// Checks everything but vocabulary and merges, and finds how text is cut.
  ///
  /// - Throws: `CorpusError` naming the first part that is not known.
  func pattern(path: String) throws -> SplitPattern {
    func refuse(_ what: String) -> CorpusError {
      CorpusError(
        "'\(path)' \(what); Krait reads byte-level BPE with the pre-tokenizer of GPT-2 or of "
          + "Llama 3")
    }
    if let type = model.type, type != "BPE" { throw refuse("has the model type '\(type)'") }
    if let dropout = model.dropout, dropout > 0 { throw refuse("has the merge dropout \(dropout)") }
    for (name, text) in [
      ("continuing_subword_prefix", model.continuing_subword_prefix),
      ("end_of_word_suffix", model.end_of_word_suffix),
    ] {
      if let text, !text.isEmpty { throw refuse("has the \(name) '\(text)'") }
    }
    if let part = normalizer?.parts.first { throw refuse("has the normalizer '\(part.type)'") }
    for part in post_processor?.parts ?? []
    where part.type != "ByteLevel" && part.type != "TemplateProcessing" {
      throw refuse("has the post-processor '\(part.type)'")
    }
    for part in decoder?.parts ?? [] where part.type != "ByteLevel" {
      throw refuse("has the decoder '\(part.type)'")
    }
    guard let pre_tokenizer else { throw refuse("has no pre-tokenizer") }
    return try splits(pre_tokenizer.parts, refuse)
  }

  private func splits(
    _ parts: [Component], _ refuse: (String) -> CorpusError
  ) throws -> SplitPattern {
    for part in parts where part.type != "Split" && part.type != "ByteLevel" {
      throw refuse("has the pre-tokenizer '\(part.type)'")
    }
    guard let last = parts.last, last.type == "ByteLevel" else {
      throw refuse("has no ByteLevel pre-tokenizer at the end")
    }
    if last.add_prefix_space ?? true {
      throw refuse("adds a space before text (add_prefix_space), which decoding cannot undo")
    }
    let usesOwn = last.use_regex ?? true
    switch parts.count {
    case 1: return usesOwn ? .gpt2 : .none
    case 2 where parts[0].type == "Split" && !usesOwn:
      let split = parts[0]
      guard let expression = split.pattern?.Regex else {
        throw refuse("splits at the text '\(split.pattern?.String ?? "")'")
      }
      guard let pattern = SplitPattern(expression: expression) else {
        throw refuse("splits by the unknown expression '\(expression)'")
      }
      guard split.behavior == "Isolated" && split.invert != true else {
        throw refuse("splits with the behaviour '\(split.behavior ?? "")', not Isolated")
      }
      return pattern
    default:
      let names = parts.map(\.type).joined(separator: ", ")
      throw refuse("has the sequence of pre-tokenizers \(names)")
    }
  }
}
