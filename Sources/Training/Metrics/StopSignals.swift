import Glibc
import Synchronization

/// Signals that ask a run to save: polled between micro-batches, evaluations and steps.
///
/// SIGTERM and SIGINT: checkpoint and exit. SIGUSR1: checkpoint and go on. A second SIGINT ends the
/// process at once, as people at a terminal expect.
public enum StopSignals {
  private static let stop = Atomic<Int32>(0)
  private static let save = Atomic<Bool>(false)

  /// Takes the three signals over.
  public static func install() {
    for number in [SIGTERM, SIGINT] {
      signal(number) { received in
        // Only atomics and _exit are safe here.
        if received == SIGINT && StopSignals.stop.load(ordering: .relaxed) != 0 { _exit(130) }
        StopSignals.stop.store(received, ordering: .relaxed)
      }
    }
    // Whoever started this process may have blocked them: a mask is inherited.
    var taken = sigset_t()
    sigemptyset(&taken)
    for number in [SIGTERM, SIGINT, SIGUSR1] { sigaddset(&taken, number) }
    pthread_sigmask(SIG_UNBLOCK, &taken, nil)
    signal(SIGUSR1) { _ in StopSignals.save.store(true, ordering: .relaxed) }
    // A closed pipe and a file over the limit are errors of a write, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
  }

  /// The signal that asked to stop, or nil.
  public static var stopRequested: Int32? {
    let value = stop.load(ordering: .relaxed)
    return value == 0 ? nil : value
  }

  /// Whether a checkpoint was asked for since the last call.
  public static func takeSaveRequest() -> Bool { save.exchange(false, ordering: .relaxed) }

  /// For people: `SIGTERM`, `SIGINT`.
  public static func name(_ signal: Int32) -> String {
    switch signal {
    case SIGTERM: "SIGTERM"
    case SIGINT: "SIGINT"
    default: "signal \(signal)"
    }
  }
}

/// Who may ask a run to save or to stop; the process's signals, or whatever a program decides.
public struct StopRequests {
  /// The signal that asked to stop, or nil; once not nil it stays so.
  public var stop: () -> Int32?
  /// Whether a checkpoint was asked for since the last call.
  public var takeSave: () -> Bool

  /// See the properties.
  public init(stop: @escaping () -> Int32?, takeSave: @escaping () -> Bool = { false }) {
    self.stop = stop
    self.takeSave = takeSave
  }

  /// The signals that `StopSignals.install` took over.
  public static var signals: StopRequests {
    StopRequests(
      stop: { StopSignals.stopRequested }, takeSave: { StopSignals.takeSaveRequest() })
  }
}
