import Glibc

/// What the processor can do, as the kernel tells it.
public struct CPUFeatures: Sendable {
  /// For example `AMD EPYC 7763 64-Core Processor`.
  public let model: String
  /// For example `GenuineIntel`; empty where the kernel does not say.
  public let vendor: String
  private let flags: Set<String>

  /// Reads `/proc/cpuinfo`.
  public static let current = CPUFeatures(cpuinfo: readCPUInfo())

  /// Parses the text of `/proc/cpuinfo`: the first processor speaks for all.
  public init(cpuinfo: String) {
    var fields: [String: String] = [:]
    for line in cpuinfo.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let key = line[..<colon].filter { $0 != "\t" }
      let trimmed = String(key.reversed().drop { $0 == " " }.reversed())
      let value = String(line[line.index(after: colon)...].drop { $0 == " " })
      if fields[trimmed] == nil { fields[trimmed] = value }
    }
    model = fields["model name"] ?? fields["CPU part"] ?? "unknown processor"
    vendor = fields["vendor_id"] ?? ""
    flags = Set(
      (fields["flags"] ?? fields["Features"] ?? "").split(separator: " ").map(String.init))
  }

  /// Whether the kernel lists a feature flag.
  public func has(_ flag: String) -> Bool { flags.contains(flag) }

  /// Whether the flags that OpenBLAS's SkylakeX kernels need are there.
  public var hasAVX512: Bool {
    ["avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"].allSatisfy(has)
  }

  private static func readCPUInfo() -> String {
    guard let file = fopen("/proc/cpuinfo", "r") else { return "" }
    defer { fclose(file) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    // The first processor's entry is enough: a machine with many would be a megabyte.
    while text.count < 1 << 14 {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 { break }
      text += buffer[0..<count]
    }
    return String(decoding: text, as: UTF8.self)
  }
}
