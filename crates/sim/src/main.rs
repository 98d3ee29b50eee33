//! Whole nodes under seeded faults: crashes, torn writes, flipped bits, repeats. Never shipped.

fn main() {
    eprintln!("the simulator has no scenario yet");
    std::process::exit(2);
}
