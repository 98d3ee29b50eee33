//! The cart job as load: per customer five or six events within the hour, interleaved by time.
//!
//! The same job as the acceptance case, made here so that it needs no file: a product viewed
//! anonymously, an identify, two more views, a cart, and for six in ten an order. Numbers come from a
//! fixed mix of the customer's number; the same numbers give the same events for ever.

use faden_engine::Definitions;
use faden_engine::workspace::{Files, read};
use faden_model::Timestamp;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

const START: Timestamp = Timestamp(1_772_359_200_000);
/// Between the first events of two customers, in milliseconds.
const GAP_MS: i64 = 10;

const WORKSPACE: [(&str, &str); 4] = [
    ("faden.yaml", include_str!("workspace/faden.yaml")),
    ("policies/global.yaml", include_str!("workspace/policies/global.yaml")),
    ("journeys/cart_reminder.yaml", include_str!("workspace/journeys/cart_reminder.yaml")),
    ("templates/cart_reminder/email.en.jinja", include_str!("workspace/templates/cart_reminder/email.en.jinja")),
];

pub fn definitions() -> Arc<Definitions> {
    let files: BTreeMap<String, String> = WORKSPACE.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let outcome = read(&Files(files));
    Arc::new(outcome.definitions.expect("the benchmark's workspace is correct, a test holds it"))
}

/// Writes the workspace into a directory, for a server to read.
///
/// # Errors
/// The system's.
pub fn write_workspace(directory: &Path) -> std::io::Result<()> {
    for (path, text) in WORKSPACE {
        let file = directory.join(path);
        std::fs::create_dir_all(file.parent().unwrap_or(directory))?;
        std::fs::write(file, text)?;
    }
    Ok(())
}

/// Source: the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
pub fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Segment calls, one JSON object a line, in the order of time.
pub fn lines(customers: u64) -> String {
    let mut order: Vec<(i64, u64, u8)> = Vec::with_capacity(customers as usize * 6);
    for customer in 0..customers {
        let at = START.0 + customer as i64 * GAP_MS;
        let random = mix(customer);
        order.extend((0..5).map(|number| (at + i64::from(number) * 10_000, customer, number)));
        if random % 10 < 6 {
            order.push((at + 100_000 + (random / 10 % 3_000_000) as i64, customer, 5));
        }
    }
    order.sort_unstable();
    let mut out = String::with_capacity(order.len() * 250);
    for (at, customer, number) in order {
        line(&mut out, Timestamp(at), customer, number);
    }
    out
}

fn line(out: &mut String, at: Timestamp, customer: u64, number: u8) {
    let random = mix(customer);
    let (sku, value) = (random % 997, 20 + random % 200);
    let head = format!(r#"{{"type": "track", "messageId": "u{customer}-{number}", "timestamp": "{at}""#);
    let context = r#""context": {"library": {"name": "bench", "version": "1"}}}"#;
    let written = match number {
        0 => writeln!(
            out,
            r#"{head}, "anonymousId": "a{customer}", "event": "Product Viewed", "properties": {{"sku": "p{sku}", "price": 19.9}}, {context}"#
        ),
        1 => {
            let (country, consents) = (["DE", "AT", "BR"][(random % 3) as usize], random / 100 % 10 != 9);
            writeln!(
                out,
                r#"{{"type": "identify", "messageId": "u{customer}-1", "timestamp": "{at}", "anonymousId": "a{customer}", "userId": "u{customer}", "traits": {{"email": "u{customer}@example.com", "country": "{country}"}}, "context": {{"consent": {{"categoryPreferences": {{"marketing": {consents}}}}}}}}}"#
            )
        }
        2 => writeln!(
            out,
            r#"{head}, "userId": "u{customer}", "event": "Product Viewed", "properties": {{"sku": "p{sku}", "price": 29.9}}, {context}"#
        ),
        3 => writeln!(
            out,
            r#"{head}, "userId": "u{customer}", "anonymousId": "a{customer}", "event": "Product Viewed", "properties": {{"sku": "p{sku}", "price": 39.9}}, {context}"#
        ),
        4 => writeln!(
            out,
            r#"{head}, "userId": "u{customer}", "event": "Cart Updated", "properties": {{"cart_id": "c{customer}", "value": {value}}}, {context}"#
        ),
        _ => writeln!(
            out,
            r#"{head}, "userId": "u{customer}", "event": "Order Completed", "properties": {{"order_id": "o{customer}", "revenue": {value}}}, {context}"#
        ),
    };
    written.expect("a String takes everything");
}

/// How many reminders are due when all time has passed: the answer that a run is held to.
pub fn reminders_due(customers: u64) -> u64 {
    (0..customers).map(mix).filter(|random| random % 10 >= 6 && random / 100 % 10 != 9).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_correct_and_the_lines_are_events() {
        assert_eq!(definitions().journeys.len(), 1);
        let lines = lines(50);
        let mut last = None;
        for line in lines.lines() {
            let event = faden_model::Event::parse(line, "DE").expect("every line is an event");
            assert!(last <= event.timestamp, "{line}");
            last = event.timestamp;
        }
        assert_eq!(lines.lines().count(), 50 * 5 + (0..50).filter(|customer| mix(*customer) % 10 < 6).count());
    }
}
