//! Builds and runs the fuzz targets in `fuzz/`, coverage-guided by libFuzzer, with the stable compiler.
//!
//! What `cargo fuzz` needs a nightly compiler for is the address sanitizer. Our rooms have no `unsafe`,
//! so coverage alone is asked for, and those switches are stable. That keeps a fresh machine free of a
//! second tool chain.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Coverage counters and comparisons as libFuzzer reads them.
const INSTRUMENTATION: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
];

/// One input may take this long, in seconds, and this much memory, in MiB.
const INPUT_SECONDS_MAX: u32 = 5;
const MEMORY_MIB_MAX: u32 = 2048;

/// `--seconds N [TARGET...]`.
///
/// # Errors
/// When the arguments are wrong, the targets do not build, or a target found something: then the
/// input is in `fuzz/artifacts/<target>/` and its path is printed.
pub fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let (seconds, wanted) = read(arguments)?;
    let fuzz = root.join("fuzz");
    let known = targets(&fuzz)?;
    if let Some(unknown) = wanted.iter().find(|name| !known.contains(name)) {
        bail!("there is no fuzz target `{unknown}`; there are {}", known.join(", "));
    }
    let chosen = if wanted.is_empty() { known } else { wanted };
    let binaries = build(&fuzz)?;
    let mut failed = Vec::new();
    for target in chosen {
        println!("fuzzing {target} for {seconds} s");
        if !run_one(&fuzz, &binaries.join(&target), &target, seconds)? {
            failed.push(target);
        }
    }
    if !failed.is_empty() {
        bail!("found something in {}; the inputs are in fuzz/artifacts/", failed.join(", "));
    }
    println!("fuzzing: nothing found");
    Ok(())
}

fn read(arguments: &[String]) -> Result<(u32, Vec<String>)> {
    match arguments {
        [flag, seconds, targets @ ..] if flag == "--seconds" => {
            let seconds = seconds.parse().ok().filter(|seconds| *seconds > 0).context("--seconds takes a whole number above zero")?;
            Ok((seconds, targets.to_vec()))
        }
        _ => bail!("write `cargo xtask fuzz --seconds 60`, or name targets behind it"),
    }
}

/// The names of the targets: files in `fuzz/targets`.
fn targets(fuzz: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(fuzz.join("targets")).context("cannot list fuzz/targets")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// Builds all targets, returns the folder they are in.
fn build(fuzz: &Path) -> Result<PathBuf> {
    let target = host()?;
    // A folder of its own: the switches would otherwise throw away what other builds left.
    let folder = env::var_os("CARGO_TARGET_DIR").map_or_else(|| fuzz.join("target"), |folder| PathBuf::from(folder).join("fuzz"));
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        // Naming the target keeps the switches away from build scripts and macros.
        .args(["build", "--release", "--target", &target])
        .env("CARGO_TARGET_DIR", &folder)
        .env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTATION.join("\u{1f}"))
        .env_remove("RUSTFLAGS")
        .current_dir(fuzz)
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("the fuzz targets do not build");
    }
    Ok(folder.join(target).join("release"))
}

/// The triple of this machine, as the compiler names it.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("cannot start rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned).context("rustc -vV names no host")
}

/// Whether the target ran its time without finding anything.
fn run_one(fuzz: &Path, binary: &Path, target: &str, seconds: u32) -> Result<bool> {
    let (corpus, seeds) = (fuzz.join("corpus").join(target), fuzz.join("seeds").join(target));
    let artifacts = fuzz.join("artifacts").join(target);
    for folder in [&corpus, &artifacts] {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let mut command = Command::new(binary);
    command.arg(&corpus);
    if seeds.is_dir() {
        command.arg(&seeds);
    }
    let dictionary = fuzz.join("seeds").join(format!("{target}.dict"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    command
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(["-verbosity=0", "-print_final_stats=1"])
        .current_dir(fuzz);
    Ok(command.status().with_context(|| format!("cannot start {}", binary.display()))?.success())
}
