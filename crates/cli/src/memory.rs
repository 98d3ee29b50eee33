//! How this program deals with the system's memory.

/// mimalloc's settings, as its `options.c` names them.
///
/// Left alone it gives freed memory back to the system a second later, in whichever thread asks for memory
/// next: tens of milliseconds, in which everybody waits when it is the keeper's. What a server frees it needs
/// again soon, so it is kept.
#[cfg(target_os = "linux")]
const SETTINGS: [(&str, &str); 1] = [("MIMALLOC_PURGE_DELAY", "-1")];

/// Sets the process up. The allocator reads its settings while the program is being loaded, from the environment
/// alone: what nobody has set is set, and the program loads itself once more. Where the system does not allow
/// that, it goes on as it is.
#[cfg(target_os = "linux")]
pub fn set_up() {
    use std::os::unix::process::CommandExt;
    // Many small objects in no order gain nothing from huge pages, and pay for clearing them.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    let missing: Vec<_> = SETTINGS.into_iter().filter(|(name, _)| std::env::var_os(name).is_none()).collect();
    let mut words = std::env::args_os();
    if let (false, Some(name), Ok(program)) = (missing.is_empty(), words.next(), std::env::current_exe()) {
        // It returns only when it failed.
        let _ = std::process::Command::new(program).arg0(name).args(words).envs(missing).exec();
    }
}

#[cfg(not(target_os = "linux"))]
pub fn set_up() {}
