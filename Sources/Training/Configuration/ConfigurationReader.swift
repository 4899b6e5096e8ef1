import Foundation
import Glibc
import TOMLKit
import Transformer

extension RunConfiguration {
  /// Reads a configuration: a preset, then a TOML file, then overrides, each on top of the last.
  ///
  /// - Parameters:
  ///   - path: a TOML file, or nil.
  ///   - preset: a preset's name; nil takes the file's `model.preset`, else `tiny`.
  ///   - overrides: `section.key=value` each.
  /// - Throws: `ConfigurationError` that lists every mistake.
  public static func read(
    path: String? = nil, preset: String? = nil, overrides: [String] = []
  ) throws -> RunConfiguration {
    let text = try path.map { try contents(of: $0) } ?? ""
    return try parse(text, name: path ?? "the configuration", preset: preset, overrides: overrides)
  }

  /// Reads the configuration that a run or a checkpoint was written with: it names every setting that
  /// there was. One that came later has the value that changes nothing, not a preset's.
  ///
  /// - Throws: `ConfigurationError` that lists every mistake.
  public static func read(
    resolved path: String, overrides: [String] = []
  ) throws -> RunConfiguration {
    try parse(
      contents(of: path), name: path, base: RunConfiguration(bare: ()), overrides: overrides)
  }

  private static func contents(of path: String) throws -> String {
    do {
      return try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      let why =
        access(path, F_OK) != 0
        ? "it does not exist"
        : access(path + "/config.toml", F_OK) == 0
          ? "it is the folder of a run; give '\(path)/config.toml'" : "it is not UTF-8 text"
      throw ConfigurationError(["cannot read the configuration '\(path)': \(why)"])
    }
  }

  /// Reads a configuration from TOML text; see `read`. Without any preset named it starts from `base`,
  /// nil for the preset `tiny`.
  public static func parse(
    _ text: String, name: String, preset: String? = nil, base: RunConfiguration? = nil,
    overrides: [String] = []
  ) throws -> RunConfiguration {
    var reader = ConfigurationReader(source: name)
    let sections = reader.sections(of: text)
    let named = preset ?? reader.presetName(sections, overrides)
    let chosen = named ?? Preset.tiny.rawValue
    var configuration: RunConfiguration
    if named == nil, let base {
      configuration = base
    } else if let known = Preset(rawValue: chosen) {
      configuration = PresetDefaults.configuration(known)
    } else {
      let names = Preset.allCases.map(\.rawValue)
      reader.mistakes.append(
        "\(name): the preset '\(chosen)' does not exist; there are \(names.joined(separator: ", "))"
      )
      configuration = PresetDefaults.configuration(.tiny)
    }
    reader.apply(sections, to: &configuration)
    reader.apply(overrides: overrides, to: &configuration)
    reader.mistakes += configuration.problems()
    guard reader.mistakes.isEmpty else { throw ConfigurationError(reader.mistakes) }
    return configuration
  }

  /// The whole configuration as commented TOML; reading it gives an equal value.
  public var toml: String {
    var lines: [String] = []
    var section = ""
    for key in RunConfiguration.keys {
      if key.section != section {
        if !section.isEmpty { lines.append("") }
        section = key.section
        lines.append("[\(section)]")
      }
      lines.append("\(key.name) = \(key.get(self).toml)  # \(key.help)")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

/// Collects values and mistakes.
struct ConfigurationReader {
  let source: String
  var mistakes: [String] = []

  init(source: String) { self.source = source }

  /// The tables of a TOML text.
  mutating func sections(of text: String) -> [String: [String: ConfigurationValue]] {
    guard !text.isEmpty else { return [:] }
    let table: TOMLTable
    do {
      table = try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      mistakes.append(
        "\(source), line \(error.source.begin.line): not valid TOML: \(error.description)")
      return [:]
    } catch {
      mistakes.append("\(source): not valid TOML: \(error)")
      return [:]
    }
    var result: [String: [String: ConfigurationValue]] = [:]
    let known = Set(RunConfiguration.keys.map(\.section))
    for name in table.keys.sorted() {
      guard let value = table[name] else { continue }
      guard let members = value.table else {
        mistakes.append(
          "\(source): '\(name)' stands outside of every table; settings belong into one of "
            + "[\(known.sorted().joined(separator: "] ["))]")
        continue
      }
      guard known.contains(name) else {
        let hint = NearestName.of(name, among: known.sorted()).map { "; did you mean [\($0)]?" }
        mistakes.append(
          "\(source): there is no table [\(name)]"
            + (hint ?? "; there are [\(known.sorted().joined(separator: "] ["))]"))
        continue
      }
      var settings: [String: ConfigurationValue] = [:]
      for key in members.keys.sorted() {
        guard let member = members[key] else { continue }
        if let converted = ConfigurationReader.value(member) {
          settings[key] = converted
        } else {
          mistakes.append("\(source): \(name).\(key) has a kind of value that no setting takes")
        }
      }
      result[name] = settings
    }
    return result
  }

  private static func value(_ toml: any TOMLValueConvertible) -> ConfigurationValue? {
    switch toml.type {
    case .int: return toml.int.map { .integer($0) }
    case .double: return toml.double.map { .number($0) }
    case .bool: return toml.bool.map { .flag($0) }
    case .string: return toml.string.map { .text($0) }
    case .array:
      guard let array = toml.array else { return nil }
      var items: [ConfigurationValue] = []
      for item in array {
        guard let converted = value(item) else { return nil }
        items.append(converted)
      }
      return .list(items)
    case .table:
      guard let table = toml.table else { return nil }
      var members: [String: ConfigurationValue] = [:]
      for key in table.keys {
        guard let member = table[key], let converted = value(member) else { return nil }
        members[key] = converted
      }
      return .table(members)
    default: return nil
    }
  }

  /// The preset that the file or an override names; nil when neither does.
  func presetName(
    _ sections: [String: [String: ConfigurationValue]], _ overrides: [String]
  ) -> String? {
    for override in overrides.reversed() where override.hasPrefix("model.preset=") {
      return String(override.dropFirst("model.preset=".count))
    }
    if case .text(let name)? = sections["model"]?["preset"] { return name }
    return nil
  }

  mutating func apply(
    _ sections: [String: [String: ConfigurationValue]], to configuration: inout RunConfiguration
  ) {
    for (section, settings) in sections.sorted(by: { $0.key < $1.key }) {
      for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
        if section == "model" && name == "preset" { continue }
        apply(section, name, value, given: value.toml, to: &configuration)
      }
    }
  }

  /// Applies `section.key=value`; the value is TOML, or a bare string where one is expected.
  mutating func apply(overrides: [String], to configuration: inout RunConfiguration) {
    for override in overrides {
      guard let equals = override.firstIndex(of: "="), let dot = override.firstIndex(of: "."),
        dot < equals
      else {
        mistakes.append(malformed(override))
        continue
      }
      let section = String(override[..<dot])
      let name = String(override[override.index(after: dot)..<equals])
      let text = String(override[override.index(after: equals)...])
      if section == "model" && name == "preset" { continue }
      let parsed = (try? TOMLTable(string: "value = \(text)"))
        .flatMap { $0["value"] }.flatMap { ConfigurationReader.value($0) }
      var value = parsed ?? .text(text)
      // A string need not be quoted on the command line.
      if let key = key(section, name), case .text = key.get(configuration) { value = .text(text) }
      if case .text(let quoted)? = parsed { value = .text(quoted) }
      apply(section, name, value, given: text, to: &configuration, by: "--set")
    }
  }

  private func malformed(_ override: String) -> String {
    let name = override.prefix { $0 != "=" }
    let hint: String
    if let known = RunConfiguration.keys.first(where: { $0.name.lowercased() == name.lowercased() })
    {
      hint = "did you mean \(known.path)?"
    } else if let known = RunConfiguration.keys.first(where: { $0.path == name }) {
      hint =
        "it must be \(known.kind.phrase), for example \(known.path)="
        + known.get(RunConfiguration()).toml
    } else {
      hint = "'krait train --settings' lists all"
    }
    return "--set '\(override)' is not of the form section.key=value; \(hint)"
  }

  private func key(_ section: String, _ name: String) -> ConfigurationKey? {
    RunConfiguration.keys.first { $0.section == section && $0.name == name }
  }

  private mutating func apply(
    _ section: String, _ name: String, _ value: ConfigurationValue, given: String,
    to configuration: inout RunConfiguration, by origin: String? = nil
  ) {
    let origin = origin ?? source
    guard let key = key(section, name) else {
      mistakes.append(unknown(section, name, origin))
      return
    }
    do {
      try key.set(&configuration, value)
    } catch {
      mistakes.append("\(origin): \(key.path) is \(given); it must be \(key.kind.phrase)")
    }
  }

  private func unknown(_ section: String, _ name: String, _ origin: String) -> String {
    let inSection = RunConfiguration.keys.filter { $0.section == section }.map(\.name)
    if let near = NearestName.of(name, among: inSection) {
      return "\(origin): there is no setting \(section).\(name); did you mean \(section).\(near)?"
    }
    let everywhere = RunConfiguration.keys.filter { $0.name.lowercased() == name.lowercased() }
    if let other = everywhere.first {
      return "\(origin): there is no setting \(section).\(name); did you mean \(other.path)?"
    }
    // A known section with a name unlike any of its own: the nearest path would be nonsense.
    if inSection.isEmpty,
      let near = NearestName.of(
        "\(section).\(name)", among: RunConfiguration.keys.map(\.path))
    {
      return "\(origin): there is no setting \(section).\(name); did you mean \(near)?"
    }
    return "\(origin): there is no setting \(section).\(name); 'krait train --settings' lists all"
  }
}
