import Glibc

/// Appends scalars to a TensorBoard event file.
///
/// The file starts with its version and a session start at the first step: with one at every
/// resume, all of TensorBoard's readers drop points that a resumed run writes again.
public final class EventWriter {
  /// The file.
  public let path: String
  private let file: UnsafeMutablePointer<FILE>

  /// Creates `events.out.tfevents.<seconds>.<host>.<pid>.krait` in a folder.
  ///
  /// - Parameters:
  ///   - folder: where the file goes; it must exist.
  ///   - startStep: the first step that will be logged.
  /// - Throws: `InterchangeError` when the folder does not take it.
  public init(folder: String, startStep: Int) throws {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, name.count - 1)
    let host = String(
      decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let now = EventWriter.now()
    path = "\(folder)/events.out.tfevents.\(Int(now)).\(host).\(getpid()).krait"
    guard let file = fopen(path, "a") else {
      throw InterchangeError.system("create", path, errno)
    }
    self.file = file
    var version = EventMessage(wallTime: now)
    version.setFileVersion("brain.Event:2")
    try append(version)
    var start = EventMessage(wallTime: now)
    start.setStep(startStep)
    start.setSessionStart()
    try append(start)
    try flush()
  }

  deinit { fclose(file) }

  /// Appends one point.
  public func scalar(_ tag: String, _ value: Double, step: Int) throws {
    var event = EventMessage(wallTime: EventWriter.now())
    event.setStep(step)
    event.setScalar(tag, Float(value))
    try append(event)
  }

  /// Hands everything to the system, so that a running TensorBoard sees it.
  public func flush() throws {
    guard fflush(file) == 0 else { throw InterchangeError.system("write", path, errno) }
  }

  private func append(_ event: EventMessage) throws {
    let record = event.record
    guard fwrite(record, 1, record.count, file) == record.count else {
      throw InterchangeError.system("write", path, errno)
    }
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
