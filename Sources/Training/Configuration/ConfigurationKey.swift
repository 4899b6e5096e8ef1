import Interchange

/// One setting of a configuration file: its name, what it means, how it is read and written.
///
/// Reading, writing, `--set`, the documentation and the nearest-key suggestion all come from the
/// one list of these.
public struct ConfigurationKey: Sendable {
  /// The table it stands in, for example `model`.
  public let section: String
  /// Its name within the table.
  public let name: String
  /// One line for people.
  public let help: String
  let kind: Kind
  let get: @Sendable (RunConfiguration) -> ConfigurationValue
  let set: @Sendable (inout RunConfiguration, ConfigurationValue) throws -> Void

  /// `section.name`.
  public var path: String { "\(section).\(name)" }

  /// What kind of value it takes; for messages.
  enum Kind: Sendable {
    case integer, number, flag, text, numbers, sources, phases
    case choice([String])

    var phrase: String {
      switch self {
      case .integer: "a whole number"
      case .number: "a number"
      case .flag: "true or false"
      case .text: "a string"
      case .numbers: "a list of numbers"
      case .sources: "a path, or a list of paths or of { path = \"…\", weight = … }"
      case .phases: "a list of { mode = \"…\", steps = … }"
      case .choice(let names): "one of " + names.map { "\"\($0)\"" }.joined(separator: ", ")
      }
    }
  }

  static func integer(
    _ section: String, _ name: String,
    _ path: any WritableKeyPath<RunConfiguration, Int> & Sendable, _ help: String
  ) -> ConfigurationKey {
    plain(section, name, path, help, .integer, write: { .integer($0) }) {
      guard case .integer(let number) = $0 else { return nil }
      return number
    }
  }

  static func number(
    _ section: String, _ name: String,
    _ path: any WritableKeyPath<RunConfiguration, Double> & Sendable, _ help: String
  ) -> ConfigurationKey {
    plain(section, name, path, help, .number, write: { .number($0) }) {
      switch $0 {
      case .integer(let whole): Double(whole)
      case .number(let number): number
      default: nil
      }
    }
  }

  static func flag(
    _ section: String, _ name: String,
    _ path: any WritableKeyPath<RunConfiguration, Bool> & Sendable, _ help: String
  ) -> ConfigurationKey {
    plain(section, name, path, help, .flag, write: { .flag($0) }) {
      guard case .flag(let flag) = $0 else { return nil }
      return flag
    }
  }

  static func text(
    _ section: String, _ name: String,
    _ path: any WritableKeyPath<RunConfiguration, String> & Sendable, _ help: String
  ) -> ConfigurationKey {
    plain(section, name, path, help, .text, write: { .text($0) }) {
      guard case .text(let text) = $0 else { return nil }
      return text
    }
  }

  static func choice<Value: RawRepresentable & CaseIterable & Sendable>(
    _ section: String, _ name: String,
    _ path: any WritableKeyPath<RunConfiguration, Value> & Sendable, _ help: String
  ) -> ConfigurationKey where Value.RawValue == String {
    plain(
      section, name, path, help, .choice(Value.allCases.map(\.rawValue)),
      write: { .text($0.rawValue) }
    ) {
      guard case .text(let text) = $0 else { return nil }
      return Value(rawValue: text)
    }
  }

  /// A key for one property; `read` gives nil for a value of another kind.
  private static func plain<Value>(
    _ section: String, _ name: String,
    _ path: any WritableKeyPath<RunConfiguration, Value> & Sendable, _ help: String, _ kind: Kind,
    write: @escaping @Sendable (Value) -> ConfigurationValue,
    read: @escaping @Sendable (ConfigurationValue) -> Value?
  ) -> ConfigurationKey {
    ConfigurationKey(
      section: section, name: name, help: help, kind: kind,
      get: { write($0[keyPath: path]) },
      set: { configuration, value in
        guard let given = read(value) else { throw WrongKind() }
        configuration[keyPath: path] = given
      })
  }

  /// The value has another kind than the key takes.
  struct WrongKind: Error {}
}

/// A value of a configuration file.
enum ConfigurationValue: Sendable, Equatable {
  case integer(Int)
  case number(Double)
  case flag(Bool)
  case text(String)
  indirect case list([ConfigurationValue])
  indirect case table([String: ConfigurationValue])

  /// As TOML.
  var toml: String {
    switch self {
    case .integer(let number): return "\(number)"
    case .number(let number): return "\(number)"
    case .flag(let flag): return "\(flag)"
    case .text(let text): return QuotedText.of(text)
    case .list(let items): return "[" + items.map(\.toml).joined(separator: ", ") + "]"
    case .table(let members):
      let pairs = members.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value.toml)" }
      return "{ " + pairs.joined(separator: ", ") + " }"
    }
  }
}
