//! A consistent store as one checksummed stream.
