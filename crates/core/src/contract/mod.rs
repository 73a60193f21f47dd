//! What every backend must do, port by port: suites that a backend's tests run.
