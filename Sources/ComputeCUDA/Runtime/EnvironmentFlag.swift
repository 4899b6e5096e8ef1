import Glibc

/// A variable of the environment that says yes or no: false when its value begins with 0, true for every
/// other value, nil when it is not set.
func environmentFlag(_ name: String) -> Bool? { getenv(name).map { $0.pointee != 48 } }
