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
    _ path: any WritableKeyPath<RunConfiguration, Int> & Sendable,
    _ help: String
  ) -> ConfigurationKey {
    ConfigurationKey(
      section: section, name: name, help: help, kind: .integer,
      get: { .integer($0[keyPath: path]) },
      set: { configuration, value in
        guard case .integer(let number) = value else { throw WrongKind() }
        configuration[keyPath: path] = number
      })
  }

  static func number(
    _ section: String, _ name: String,
    _ path: any WritableKeyPath<RunConfiguration, Double> & Sendable, _ help: String
  ) -> ConfigurationKey {
    ConfigurationKey(
      section: section, name: name, help: help, kind: .number,
      get: { .number($0[keyPath: path]) },
      set: { configuration, value in
        switch value {
        case .integer(let whole): configuration[keyPath: path] = Double(whole)
        case .number(let number): configuration[keyPath: path] = number
        default: throw WrongKind()
        }
      })
  }

  static func flag(
    _ section: String, _ name: String,
    _ path: any WritableKeyPath<RunConfiguration, Bool> & Sendable, _ help: String
  ) -> ConfigurationKey {
    ConfigurationKey(
      section: section, name: name, help: help, kind: .flag,
      get: { .flag($0[keyPath: path]) },
      set: { configuration, value in
        guard case .flag(let flag) = value else { throw WrongKind() }
        configuration[keyPath: path] = flag
      })
  }

  static func text(
    _ section: String, _ name: String,
    _ path: any WritableKeyPath<RunConfiguration, String> & Sendable, _ help: String
  ) -> ConfigurationKey {
    ConfigurationKey(
      section: section, name: name, help: help, kind: .text,
      get: { .text($0[keyPath: path]) },
      set: { configuration, value in
        guard case .text(let text) = value else { throw WrongKind() }
        configuration[keyPath: path] = text
      })
  }

  static func choice<Value: RawRepresentable & CaseIterable & Sendable>(
    _ section: String, _ name: String,
    _ path: any WritableKeyPath<RunConfiguration, Value> & Sendable, _ help: String
  ) -> ConfigurationKey where Value.RawValue == String {
    ConfigurationKey(
      section: section, name: name, help: help, kind: .choice(Value.allCases.map(\.rawValue)),
      get: { .text($0[keyPath: path].rawValue) },
      set: { configuration, value in
        guard case .text(let text) = value, let choice = Value(rawValue: text) else {
          throw WrongKind()
        }
        configuration[keyPath: path] = choice
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
    case .text(let text): return ConfigurationValue.quote(text)
    case .list(let items): return "[" + items.map(\.toml).joined(separator: ", ") + "]"
    case .table(let members):
      let pairs = members.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value.toml)" }
      return "{ " + pairs.joined(separator: ", ") + " }"
    }
  }

  private static func quote(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let hex = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
