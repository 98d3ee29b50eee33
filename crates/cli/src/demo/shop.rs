//! Half a year of a shop that does not exist: what its customers did, as Segment calls ordered by time.
//!
//! Pure: the same seed gives the same bytes on every machine. People browse before they are known, log in on
//! a second device, leave carts, order, get parcels, write reviews, withdraw consent; a few share a tablet
//! that stands in the shop.

use faden_model::Timestamp;
use serde_json::{Value, json};

/// Monday, 5 January 2026, and 26 weeks later.
pub const FIRST: Timestamp = Timestamp(1_767_571_200_000);
pub const LAST: Timestamp = Timestamp(FIRST.0 + 26 * 7 * DAY);
const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// People who come in the half year; four in five sign up.
const PEOPLE: u64 = 3_600;
const NAMES: [&str; 16] =
    ["Ada", "Bela", "Clara", "Davi", "Emil", "Frieda", "Gil", "Helena", "Ines", "Jonas", "Klara", "Luis", "Mara", "Nils", "Olga", "Paulo"];

/// Numbers by chance that are the same everywhere.
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From `low` up to, without, `high`.
    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.next() % u64::try_from(high - low).unwrap_or(1)).unwrap_or_default()
    }

    fn percent(&mut self, chance: i64) -> bool {
        self.between(0, 100) < chance
    }
}

struct Country {
    code: &'static str,
    time_zone: &'static str,
    utc_offset_hours: i64,
    phone: &'static str,
}

const COUNTRIES: [Country; 3] = [
    Country { code: "DE", time_zone: "Europe/Berlin", utc_offset_hours: 1, phone: "+4915112" },
    Country { code: "AT", time_zone: "Europe/Vienna", utc_offset_hours: 1, phone: "+4366412" },
    Country { code: "BR", time_zone: "America/Sao_Paulo", utc_offset_hours: -3, phone: "+55119981" },
];

/// Writes down what one person does.
struct Diary<'e> {
    number: u64,
    dice: Dice,
    country: &'static Country,
    /// How keen the person is, in percent.
    keen: i64,
    calls: u64,
    known: bool,
    second_device: bool,
    events: &'e mut Vec<(i64, u64, String)>,
}

/// All events as lines of JSON, ordered by time.
pub fn events(seed: u64) -> String {
    let mut events = Vec::new();
    for number in 0..PEOPLE {
        let mut dice = Dice(seed ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let country = &COUNTRIES[[0, 0, 0, 0, 0, 1, 1, 2, 2, 2][usize::try_from(dice.between(0, 10)).unwrap_or_default()]];
        let keen = dice.between(5, 100);
        Diary { number, dice, country, keen, calls: 0, known: false, second_device: false, events: &mut events }.live();
    }
    events.retain(|(at, ..)| *at < LAST.0);
    events.sort();
    let mut lines = String::new();
    for (_, _, line) in events {
        lines.push_str(&line);
        lines.push('\n');
    }
    lines
}

impl Diary<'_> {
    fn live(&mut self) {
        // More come every month: the square root of an even chance leans to the end, the plain one does not.
        let day = self.dice.between(0, 26 * 7).max(self.dice.between(-120, 26 * 7)).max(0);
        let mut at = self.in_the_day(day);
        let signs_up = self.dice.percent(80);
        while at < LAST.0 {
            at = self.visit(at, signs_up);
            let pause_days = 1 + self.dice.between(0, 6 + (100 - self.keen) / 2);
            at = self.in_the_day((at - FIRST.0) / DAY + pause_days);
            if self.dice.percent(10) {
                // Some do not come back, and are missed.
                break;
            }
        }
    }

    /// A moment of the local day, mostly in the evening.
    fn in_the_day(&mut self, day: i64) -> i64 {
        let hour = self.dice.between(8, 23).max(self.dice.between(6, 23));
        FIRST.0 + day * DAY + (hour - self.country.utc_offset_hours) * HOUR + self.dice.between(0, HOUR)
    }

    fn visit(&mut self, start: i64, signs_up: bool) -> i64 {
        let mut at = start;
        let device = if self.known && self.dice.percent(30) { "b" } else { "a" };
        let kiosk = self.dice.percent(1);
        for _ in 0..self.dice.between(1, 5) {
            let sku = format!("p{}", (self.number * 7 + u64::try_from(self.dice.between(0, 5)).unwrap_or_default()) % 200);
            let price = self.amount(900, 12_000);
            let who = if self.known && device == "a" { Who::User } else { Who::Device(device) };
            self.track(at, "Product Viewed", json!({"sku": sku, "price": price}), who);
            at += self.dice.between(20 * SECOND, 4 * MINUTE);
        }
        if !signs_up {
            return at;
        }
        if !self.known {
            self.sign_up(at);
        } else if device == "b" && !self.second_device {
            self.second_device = true;
            self.identify(at, "b", json!({}), None);
        } else if kiosk {
            self.track(at, "Store Tablet Used", json!({}), Who::Both(format!("tablet-{}", self.number % 3)));
        }
        at += MINUTE;
        if self.dice.percent(25 + self.keen / 4) {
            at = self.cart(at);
        }
        if self.dice.percent(1) {
            self.identify(at + HOUR, "a", json!({}), Some(false));
        }
        at
    }

    fn sign_up(&mut self, at: i64) {
        self.known = true;
        let name = NAMES[usize::try_from(self.dice.between(0, 16)).unwrap_or_default()];
        let mut traits = json!({
            "email": format!("{}{}@customers.example", name.to_lowercase(), self.number), "first_name": name,
            "country": self.country.code, "time_zone": self.country.time_zone,
        });
        if self.dice.percent(45) {
            traits["phone"] = json!(format!("{}{:05}", self.country.phone, self.number));
        }
        let agrees = self.dice.percent(78);
        self.identify(at, "a", traits, Some(agrees));
        self.track(at + SECOND, "Signed Up", json!({}), Who::User);
    }

    fn cart(&mut self, at: i64) -> i64 {
        let (cart, value) = (format!("c{}-{}", self.number, self.calls), self.amount(1_200, 26_000));
        self.track(at, "Cart Updated", json!({"cart_id": cart, "value": value}), Who::User);
        // Some order at once, some late, after a reminder or not.
        let delay = match self.dice.between(0, 100) {
            0..45 => self.dice.between(2 * MINUTE, 50 * MINUTE),
            45..60 => self.dice.between(3 * HOUR, 40 * HOUR),
            _ => return at,
        };
        self.order(at + delay, value);
        at + delay
    }

    fn order(&mut self, at: i64, value: Value) {
        let order = format!("o{}-{}", self.number, self.calls);
        self.track(at, "Order Completed", json!({"order_id": order, "revenue": value}), Who::User);
        let delivered = at + self.dice.between(30 * HOUR, 5 * DAY);
        self.track(delivered, "Order Delivered", json!({"order_id": order}), Who::User);
        if self.dice.percent(8) {
            let returned = delivered + self.dice.between(DAY, 6 * DAY);
            self.track(returned, "Order Returned", json!({"order_id": order}), Who::User);
        } else if self.dice.percent(35) {
            let (stars, written) = (self.dice.between(2, 6), delivered + self.dice.between(DAY, 16 * DAY));
            self.track(written, "Review Written", json!({"order_id": order, "stars": stars}), Who::User);
        }
    }

    /// An amount in euros with two digits, written as a decimal.
    fn amount(&mut self, low_cents: i64, high_cents: i64) -> Value {
        let cents = self.dice.between(low_cents, high_cents);
        serde_json::from_str(&format!("{}.{:02}", cents / 100, cents % 100)).unwrap_or_default()
    }

    fn identify(&mut self, at: i64, device: &str, traits: Value, marketing: Option<bool>) {
        let mut call = self.call(at, "identify", Who::Both(format!("{device}{}", self.number)));
        call["traits"] = traits;
        if let Some(agrees) = marketing {
            call["context"] = json!({"consent": {"categoryPreferences": {"marketing": agrees}}});
        }
        self.write(at, &call);
    }

    fn track(&mut self, at: i64, event: &str, properties: Value, who: Who) {
        let mut call = self.call(at, "track", who);
        call["event"] = json!(event);
        call["properties"] = properties;
        self.write(at, &call);
    }

    fn call(&self, at: i64, kind: &str, who: Who) -> Value {
        let mut call = json!({"type": kind, "messageId": format!("m{}-{}", self.number, self.calls), "timestamp": Timestamp(at - at % SECOND).to_string()});
        let user = json!(format!("u{}", self.number));
        match who {
            Who::User => call["userId"] = user,
            Who::Device(device) => call["anonymousId"] = json!(format!("{device}{}", self.number)),
            Who::Both(device) => {
                call["userId"] = user;
                call["anonymousId"] = json!(device);
            }
        }
        call
    }

    fn write(&mut self, at: i64, call: &Value) {
        self.events.push((at - at % SECOND, self.number * 10_000 + self.calls, call.to_string()));
        self.calls += 1;
    }
}

/// Under which names an event comes.
enum Who {
    User,
    Device(&'static str),
    /// The user on this device, in full.
    Both(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use faden_model::Event;

    #[test]
    fn the_shop_lives_the_same_half_year_every_time() {
        let lines = events(1);
        assert_eq!(lines, events(1));
        assert_ne!(lines, events(2));
        let mut last = Timestamp::MIN;
        for line in lines.lines() {
            let event = Event::parse(line, "DE").unwrap_or_else(|error| panic!("{line}: {error}"));
            let at = event.timestamp.expect("every call says when");
            assert!(last <= at && at < LAST, "{line}");
            last = at;
        }
    }
}
