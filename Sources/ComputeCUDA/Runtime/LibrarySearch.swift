import Foundation
import Glibc

/// Finds NVIDIA's libraries at run time: nothing is linked.
///
/// In this order: the folders of `KRAIT_CUDA_LIBRARIES`, the loader's own path, CUDA toolkits and
/// driver folders, the folders that pip wheels install into.
struct LibrarySearch {
  /// The environment variable: folders, separated by colons; each is searched itself and, for the
  /// `nvidia` folder of a Python environment, in its `*/lib`.
  static let environmentVariable = "KRAIT_CUDA_LIBRARIES"

  /// A library that could be opened.
  struct Found {
    let handle: UnsafeMutableRawPointer
    /// Its path, or its bare name when the loader found it.
    let path: String
  }

  /// Folders to look in, before and after the loader.
  private let chosenFolders: [String]
  private let knownFolders: [String]

  /// Reads the environment once.
  init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    let chosen = (environment[LibrarySearch.environmentVariable] ?? "")
      .split(separator: ":").map(String.init)
    chosenFolders = chosen.flatMap { [$0] + LibrarySearch.wheelFolders(nvidia: $0) }
    var known: [String] = []
    for variable in ["CUDA_HOME", "CUDA_PATH"] {
      if let root = environment[variable] { known.append(root + "/lib64") }
    }
    known += [
      "/usr/local/cuda/lib64", "/usr/local/cuda-13/lib64", "/usr/local/cuda-12/lib64",
      "/usr/local/nvidia/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib64",
      "/usr/lib/wsl/lib",
    ]
    let prefixes =
      ["VIRTUAL_ENV", "CONDA_PREFIX"].compactMap { environment[$0] }
      + LibrarySearch.pythonPrefixes(path: environment["PATH"] ?? "")
      + (environment["HOME"].map { [$0 + "/.local"] } ?? []) + ["/usr/local", "/usr"]
    var seen = Set<String>()
    for prefix in prefixes where seen.insert(prefix).inserted {
      known += LibrarySearch.sitePackages(prefix: prefix)
        .flatMap { LibrarySearch.wheelFolders(nvidia: $0 + "/nvidia") }
    }
    knownFolders = known
  }

  /// Opens the first library of some names, newest first; nil when there is none.
  ///
  /// `problems` gets what the loader says of files that exist but cannot be opened.
  func open(_ names: [String], problems: inout [String]) -> Found? {
    for folder in chosenFolders {
      for name in names {
        if let found = open(path: folder + "/" + name, problems: &problems) { return found }
      }
    }
    for name in names {
      if let handle = dlopen(name, RTLD_NOW | RTLD_GLOBAL) {
        return Found(handle: handle, path: name)
      }
    }
    for folder in knownFolders {
      for name in names {
        if let found = open(path: folder + "/" + name, problems: &problems) { return found }
      }
    }
    return nil
  }

  private func open(path: String, problems: inout [String]) -> Found? {
    guard access(path, R_OK) == 0 else { return nil }
    LibrarySearch.openCompanions(of: path)
    if let handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL) {
      return Found(handle: handle, path: path)
    }
    problems.append(dlerror().map { String(cString: $0) } ?? "\(path) cannot be opened")
    return nil
  }

  /// NVRTC opens its builtins by their bare name, later: they must be there by then.
  private static func openCompanions(of path: String) {
    let file = URL(fileURLWithPath: path)
    guard file.lastPathComponent.hasPrefix("libnvrtc.so") else { return }
    let folder = file.deletingLastPathComponent().path
    for name in entries(folder) where name.hasPrefix("libnvrtc-builtins.so.") {
      _ = dlopen(folder + "/" + name, RTLD_NOW | RTLD_GLOBAL)
    }
  }

  // MARK: Python environments

  /// The folders above the `bin` of every Python on the path, links followed one step or not.
  private static func pythonPrefixes(path: String) -> [String] {
    path.split(separator: ":").map(String.init)
      .filter { access($0 + "/python3", X_OK) == 0 && $0.hasSuffix("/bin") }
      .map { String($0.dropLast(4)) }
  }

  private static func sitePackages(prefix: String) -> [String] {
    entries(prefix + "/lib").filter { $0.hasPrefix("python3") }.flatMap {
      ["\(prefix)/lib/\($0)/site-packages", "\(prefix)/lib/\($0)/dist-packages"]
    }
  }

  private static func wheelFolders(nvidia folder: String) -> [String] {
    entries(folder).map { "\(folder)/\($0)/lib" }.filter { access($0, R_OK) == 0 }
  }

  private static func entries(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted(by: >)
  }
}
