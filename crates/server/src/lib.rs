//! Faden as a server: intake, API, channels, console in one process.
