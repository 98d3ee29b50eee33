//! What customers do: half a year behind them, and what they do next. Segment calls, as the shop would send them.

use super::people::{AREAS, Person, WARES, pick};
use crate::bench::mix;
use faden_model::Timestamp;
use faden_server::outside::Browsers;
use serde_json::{Value, json};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Days that lie behind when the demo begins.
pub const DAYS: i64 = 180;

/// The company's sources.
pub const SHOP: &str = "web-shop";
pub const COUNTER: &str = "counter";
pub const ERP: &str = "erp";

/// What the shop does not know before the warehouse tells it.
const LOGISTICS: [&str; 3] = ["Order Shipped", "Delivery Delayed", "Order Delivered"];

/// An event on its way to the server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    pub at: Timestamp,
    /// The source that it comes from.
    pub source: &'static str,
    /// One JSON object.
    pub body: String,
}

/// Collects the calls of one person.
struct Diary<'p> {
    person: &'p Person,
    calls: Vec<Call>,
    count: u64,
}

impl Diary<'_> {
    fn push(&mut self, at: i64, source: &'static str, mut call: Value) {
        self.count += 1;
        call["messageId"] = json!(format!("{}-{}-{}", self.person.user_id(), at, self.count));
        call["timestamp"] = json!(Timestamp(at).to_string());
        self.calls.push(Call { at: Timestamp(at), source, body: call.to_string() });
    }

    fn track(&mut self, at: i64, event: &str, properties: &Value) {
        let call = json!({"type": "track", "userId": self.person.user_id(), "event": event, "properties": properties});
        self.push(at, if LOGISTICS.contains(&event) { ERP } else { SHOP }, call);
    }

    fn looks(&mut self, at: i64, ware: (&str, &str, u32)) {
        let (sku, name, price) = ware;
        let properties = json!({"sku": sku, "name": name, "price": f64::from(price), "currency": self.person.currency()});
        self.track(at, "Product Viewed", &properties);
    }

    fn identify(&mut self, at: i64, browsers: &Browsers) {
        let person = self.person;
        let mut traits = json!({
            "first_name": person.first_name, "last_name": person.last_name, "email": person.email(), "phone": person.phone(),
            "country": person.country, "language": person.language, "time_zone": person.time_zone,
            "brand": if person.energy { "nordlicht_energie" } else { "nordlicht" },
            "wish_list": [pick(&WARES, mix(person.number + 5)).0],
        });
        if person.energy {
            traits["grid_area"] = json!(person.area);
        }
        let mut context = json!({"consent": {"categoryPreferences": {"marketing": person.marketing, "survey": person.survey}}});
        if person.push {
            context["device"] = json!({"id": browsers.subscription(&person.user_id())});
        }
        let call = json!({"type": "identify", "userId": person.user_id(), "anonymousId": person.anonymous_id(), "traits": traits, "context": context});
        // Every third is signed up at the counter.
        self.push(at, if person.number.is_multiple_of(3) { COUNTER } else { SHOP }, call);
        if person.marketing && person.country != "BR" {
            // Germany and Austria ask twice: most people follow the link.
            if !mix(person.number + 77).is_multiple_of(6) {
                let data = json!({"purpose": "marketing", "state": "confirmed"});
                let event = json!({"specversion": "1.0", "id": format!("confirm-{}", person.number), "source": "/consent", "type": "faden.consent.changed",
                    "subject": format!("user_id:{}", person.user_id()), "time": Timestamp(at + 5 * MINUTE).to_string(), "data": data});
                self.calls.push(Call { at: Timestamp(at + 5 * MINUTE), source: "customer-pages", body: event.to_string() });
            }
        }
    }

    /// A visit to the shop: looks, perhaps a cart, perhaps an order and what follows from it.
    fn visit(&mut self, at: i64, dice: u64) {
        let ware = pick(&WARES, dice);
        let looks = 1 + dice / 7 % 4;
        for look in 0..looks {
            self.looks(at + look as i64 * 2 * MINUTE, if look == 0 { ware } else { pick(&WARES, mix(dice + look)) });
        }
        if (dice / 31).is_multiple_of(2) {
            return;
        }
        let value = f64::from(ware.2) * (1 + dice / 97 % 2) as f64;
        let cart_at = at + looks as i64 * 2 * MINUTE + MINUTE;
        let currency = self.person.currency();
        let cart = json!({"cart_id": format!("k{dice:x}"), "value": value, "currency": currency, "items": 1 + dice / 97 % 2});
        self.track(cart_at, "Cart Updated", &cart);
        if dice / 131 % 10 < 6 {
            self.order(cart_at + 4 * MINUTE + (dice / 17 % 20) as i64 * MINUTE, ware, value, dice);
        }
    }

    fn order(&mut self, at: i64, ware: (&str, &str, u32), revenue: f64, dice: u64) {
        let id = format!("N{}", 100_000 + dice % 900_000);
        let order = json!({"order_id": id, "revenue": revenue, "currency": self.person.currency(), "skus": [ware.0],
            "items": [{"name": ware.1, "quantity": 1 + dice / 97 % 2, "price": f64::from(ware.2)}],
            "promised_for": Timestamp(at + 4 * DAY).to_string()});
        self.track(at, "Order Completed", &order);
        // One parcel in twelve takes its time.
        let late = dice.is_multiple_of(12);
        let shipped = at + if late { 3 * DAY } else { 20 * HOUR };
        let tracking = json!({"order_id": id, "carrier": if self.person.country == "BR" { "Correios" } else { "DHL" }, "tracking_url": format!("https://parcels.example/{id}")});
        self.track(shipped, "Order Shipped", &tracking);
        if late {
            let delay = json!({"order_id": id, "new_date": Timestamp(shipped + 3 * DAY).to_string(), "reason": "snow"});
            self.track(shipped + DAY, "Delivery Delayed", &delay);
        }
        let delivered = shipped + if late { 4 * DAY } else { DAY + 6 * HOUR };
        self.track(delivered, "Order Delivered", &json!({"order_id": id}));
        if dice.is_multiple_of(3) {
            self.track(delivered + 9 * DAY, "Review Written", &json!({"order_id": id, "stars": 3 + dice % 3}));
        }
    }
}

/// Everything that one person did until `now`, in the order of time.
pub fn past(person: &Person, browsers: &Browsers, now: Timestamp) -> Vec<Call> {
    let mut diary = Diary { person, calls: Vec::new(), count: 0 };
    let dice = |salt: u64| mix(person.number.wrapping_mul(97).wrapping_add(salt));
    let begin = now.0 - DAYS * DAY;
    let first = begin + (dice(1) % (DAYS as u64 * 23)) as i64 * HOUR + (dice(2) % 60) as i64 * MINUTE;
    let anonymous = json!({"type": "page", "anonymousId": person.anonymous_id(), "name": "Start"});
    diary.push(first, SHOP, anonymous);
    let call = json!({"type": "track", "anonymousId": person.anonymous_id(), "event": "Product Viewed",
        "properties": {"sku": WARES[0].0, "name": WARES[0].1, "price": WARES[0].2, "currency": person.currency()}});
    diary.push(first + 3 * MINUTE, SHOP, call);
    diary.identify(first + 8 * MINUTE, browsers);
    diary.track(first + 9 * MINUTE, "Signed Up", &json!({"plan": "free"}));
    if person.energy {
        let contract = json!({"contract_id": format!("E{}", 7000 + person.number), "tariff": "Nordlicht Flex"});
        diary.track(first + DAY, "Contract Signed", &contract);
    }
    // Some come every week, some never again.
    let gap = [6, 11, 17, 26, 45, 400][(dice(3) % 6) as usize];
    let mut at = first + DAY;
    let mut visit = 10;
    while at < now.0 {
        let random = dice(visit);
        diary.visit(at + (random % 9) as i64 * HOUR, random);
        at += gap * DAY + (random / 3 % 48) as i64 * HOUR;
        visit += 1;
    }
    let mut calls = diary.calls;
    calls.retain(|call| call.at <= now);
    calls.sort();
    calls
}

/// What one person does next, from `now` on, squeezed into a few seconds: a visit as people watch it.
pub fn next(person: &Person, round: u64, now: Timestamp) -> Vec<Call> {
    let mut diary = Diary { person, calls: Vec::new(), count: round };
    let random = mix(person.number.wrapping_mul(1_009).wrapping_add(round));
    diary.visit(now.0, random);
    let mut calls = diary.calls;
    // What follows days later is not for now.
    calls.retain(|call| call.at.0 < now.0 + HOUR);
    for (place, call) in calls.iter_mut().enumerate() {
        call.at = Timestamp(now.0 + place as i64 * 1_500);
        let mut body: Value = serde_json::from_str(&call.body).unwrap_or_default();
        body["timestamp"] = json!(call.at.to_string());
        call.body = body.to_string();
    }
    calls
}

/// What happens to many at once: a price, stock, an outage. CloudEvents about nobody in particular.
pub fn business(round: u64, now: Timestamp) -> Call {
    let random = mix(round.wrapping_add(424_242));
    let (sku, name, price) = pick(&WARES, random);
    let (kind, data) = match random % 4 {
        0 | 1 => (
            "Price Dropped",
            json!({"sku": sku, "name": name, "old_price": price, "new_price": f64::from(price) * 0.8, "currency": "EUR", "url": format!("https://nordlicht.example/{sku}")}),
        ),
        2 => ("Back In Stock", json!({"sku": sku, "name": name, "quantity": 12, "url": format!("https://nordlicht.example/{sku}")})),
        _ => (
            "Outage Started",
            json!({"outage_id": format!("o{round}"), "area": pick(&AREAS, random / 4), "expected_until": Timestamp(now.0 + 2 * HOUR).to_string()}),
        ),
    };
    let event = json!({"specversion": "1.0", "id": format!("business-{round}-{}", now.0), "source": "/shop", "type": kind, "time": now.to_string(), "data": data});
    Call { at: now, source: ERP, body: event.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_past_in_order_that_a_server_can_take() {
        let now = Timestamp(1_772_359_200_000);
        let browsers = Browsers::new("https://push.example".to_owned());
        let mut names = std::collections::BTreeSet::new();
        for number in 0..200 {
            let calls = past(&Person::new(number), &browsers, now);
            assert!(calls.windows(2).all(|pair| pair[0].at <= pair[1].at));
            assert!(calls.iter().all(|call| call.at <= now));
            for call in &calls {
                let event = faden_model::Event::parse(&call.body, "DE").unwrap_or_else(|error| panic!("{error}: {}", call.body));
                names.insert(event.name.to_string());
            }
        }
        for name in
            ["Product Viewed", "Cart Updated", "Order Completed", "Order Shipped", "Delivery Delayed", "Order Delivered", "Contract Signed"]
        {
            assert!(names.contains(name), "nobody did `{name}`");
        }
        assert_eq!(past(&Person::new(7), &browsers, now), past(&Person::new(7), &browsers, now), "the same on every machine");
    }
}
