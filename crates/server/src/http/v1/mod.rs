//! Our own REST interface.
