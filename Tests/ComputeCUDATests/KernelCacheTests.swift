import ComputeCUDA
import Foundation
import Testing

@Suite struct KernelCacheTests {
  let folder = NSTemporaryDirectory() + "/krait-kernels-\(UUID().uuidString)"
  var cache: KernelCache { KernelCache(environment: ["KRAIT_KERNEL_CACHE": folder]) }

  @Test func whatIsWrittenIsRead() {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let code = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
    #expect(cache.read("a") == nil)
    #expect(cache.write(code, key: "a"))
    #expect(cache.read("a") == code)
    let left = try? FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(left == ["a.kernel"], "no partial files stay")
  }

  @Test func whatAKilledProcessLeftIsRemovedLater() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(cache.write([1], key: "a"))
    let (old, young) = (folder + "/b.kernel.1.2.part", folder + "/c.kernel.3.4.part")
    for path in [old, young] { try Data([1]).write(to: URL(fileURLWithPath: path)) }
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -7200)], ofItemAtPath: old)
    #expect(cache.write([2], key: "d"))
    let left = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(left == ["a.kernel", "c.kernel.3.4.part", "d.kernel"])
  }

  @Test func aDamagedFileIsNotUsed() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(cache.write([1, 2, 3, 4], key: "a"))
    let path = folder + "/a.kernel"
    let whole = try #require(FileManager.default.contents(atPath: path))
    for index in whole.indices {
      var damaged = whole
      damaged[index] ^= 1
      try damaged.write(to: URL(fileURLWithPath: path))
      #expect(cache.read("a") == nil, "byte \(index)")
      try whole.prefix(index).write(to: URL(fileURLWithPath: path))
      #expect(cache.read("a") == nil, "cut at \(index)")
    }
  }

  @Test func aFolderThatCannotBeWrittenIsNoError() {
    let cache = KernelCache(environment: ["KRAIT_KERNEL_CACHE": "/proc/krait"])
    #expect(!cache.write([1], key: "a"))
    #expect(cache.read("a") == nil)
  }

  @Test func theKeyDependsOnEverything() {
    let sources = KernelSource(folder: nil)
    let unit = KernelUnit("RMSNorm.cu", isBFloat16: false)
    func key(
      _ unit: KernelUnit, _ sources: KernelSource, _ options: [String] = ["-arch=sm_80"],
      compiler: String = "13.0", driver: Int = 13000
    ) -> String {
      KernelCache.key(
        of: unit, sources: sources, options: options, compilerVersion: compiler,
        driverVersion: driver)
    }
    let keys = [
      key(unit, sources),
      key(KernelUnit("AdamW.cu", isBFloat16: false), sources),
      key(unit, sources, ["-arch=sm_90a"]),
      key(unit, sources, compiler: "13.1"),
      key(unit, sources, driver: 13010),
    ]
    #expect(Set(keys).count == keys.count)
    #expect(key(unit, sources) == keys[0])
  }
}
