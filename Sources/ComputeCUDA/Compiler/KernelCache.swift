import Crypto
import Foundation
import Glibc

/// Compiled kernels on disk: one file for each unit, named by a hash of all it depends on.
///
/// Files appear whole, by renaming, so several processes may share the folder. A file that is cut
/// off or altered is compiled again; a folder that cannot be written costs compiling, no more.
package struct KernelCache {
  /// The folder, if another one is wanted.
  package static let environmentVariable = "KRAIT_KERNEL_CACHE"

  /// Where the files are.
  package let folder: String
  /// Begins every file; a change of format changes it.
  private static let magic = Array("KRAITK01".utf8)

  /// `KRAIT_KERNEL_CACHE`, or `krait/kernels` in the user's cache folder.
  package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    if let chosen = environment[KernelCache.environmentVariable], !chosen.isEmpty {
      folder = chosen
    } else if let base = environment["XDG_CACHE_HOME"], !base.isEmpty {
      folder = base + "/krait/kernels"
    } else {
      folder = (environment["HOME"] ?? "/tmp") + "/.cache/krait/kernels"
    }
  }

  /// The name of a unit's file: a hash of everything that decides its code.
  package static func key(
    of unit: KernelUnit, sources: KernelSource, options: [String], compilerVersion: String,
    driverVersion: Int
  ) -> String {
    var hash = SHA256()
    func add(_ text: String) {
      hash.update(data: Data(text.utf8))
      hash.update(data: Data([0]))
    }
    add(unit.file)
    add(sources.text(unit.file))
    for header in sources.headers {
      add(header)
      add(sources.text(header))
    }
    for option in options { add(option) }
    add(compilerVersion)
    add("\(driverVersion)")
    return hash.finalize().map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }

  /// The code of a key; nil when it is not there, or not whole.
  package func read(_ key: String) -> [UInt8]? {
    guard let data = FileManager.default.contents(atPath: path(key)) else { return nil }
    let bytes = [UInt8](data)
    let start = KernelCache.magic.count + SHA256.byteCount
    guard bytes.count > start, bytes.starts(with: KernelCache.magic) else { return nil }
    let code = Array(bytes[start...])
    let hash = Array(SHA256.hash(data: code))
    return hash == Array(bytes[KernelCache.magic.count..<start]) ? code : nil
  }

  /// Keeps the code of a key; false when the folder cannot be written.
  @discardableResult
  package func write(_ code: [UInt8], key: String) -> Bool {
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
    } catch {
      return false
    }
    removeLeftovers()
    let bytes = KernelCache.magic + Array(SHA256.hash(data: code)) + code
    let temporary = path(key) + ".\(getpid()).\(UInt32.random(in: 0 ... .max)).part"
    guard FileManager.default.createFile(atPath: temporary, contents: Data(bytes)) else {
      return false
    }
    if rename(temporary, path(key)) == 0 { return true }
    unlink(temporary)
    return false
  }

  /// Deletes what processes that were killed while writing left behind an hour ago or longer.
  private func removeLeftovers() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names where name.hasSuffix(".part") {
      var status = stat()
      let file = folder + "/" + name
      if stat(file, &status) == 0 && time(nil) - status.st_mtim.tv_sec > 3600 { unlink(file) }
    }
  }

  private func path(_ key: String) -> String { folder + "/" + key + ".kernel" }
}
