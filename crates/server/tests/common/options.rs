//! How a server of a test runs; the crate's own tests use this file as well.

use super::Options;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// A free port of this machine, a small cache, no checkpoint by time, no workspace.
pub fn options(data: &Path) -> Options {
    Options {
        data: data.to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        workspace: None,
        base_url: None,
        partitions: 1,
        cache_bytes: 16 << 20,
        checkpoint_after: Duration::from_secs(3600),
        log_only: false,
    }
}
