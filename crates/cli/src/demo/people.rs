//! The customers of a company that does not exist: the same ones on every machine.

use crate::bench::mix;

/// One customer.
pub struct Person {
    pub number: u64,
    pub country: &'static str,
    pub language: &'static str,
    pub time_zone: &'static str,
    pub first_name: &'static str,
    pub last_name: &'static str,
    /// Buys power, not tents.
    pub energy: bool,
    /// Where his house is, for power.
    pub area: &'static str,
    pub marketing: bool,
    pub survey: bool,
    /// His browser takes push messages.
    pub push: bool,
}

/// What the shop sells: SKU, name, price.
pub const WARES: [(&str, &str, u32); 10] = [
    ("tent-2", "Fjord 2 tent", 249),
    ("tent-4", "Fjord 4 tent", 379),
    ("bag-down", "Polar down sleeping bag", 189),
    ("pack-60", "Trek 60 backpack", 159),
    ("boot-hike", "Rila hiking boots", 139),
    ("stove-gas", "Ember gas stove", 59),
    ("lamp-head", "Lumen head lamp", 39),
    ("shell-rain", "Monsoon rain shell", 119),
    ("bottle-1", "Steel bottle 1 l", 29),
    ("map-alps", "Alps map set", 34),
];
/// Parts of the power grid.
pub const AREAS: [&str; 4] = ["hamburg-nord", "kiel", "bremen", "luebeck"];

const GERMAN: [&str; 16] =
    ["Anna", "Lena", "Jonas", "Felix", "Mia", "Paul", "Clara", "Max", "Emil", "Lea", "Finn", "Ida", "Moritz", "Greta", "Ben", "Frieda"];
const GERMAN_LAST: [&str; 14] = [
    "Schneider",
    "Weber",
    "Hoffmann",
    "Koch",
    "Bauer",
    "Richter",
    "Klein",
    "Wolf",
    "Neumann",
    "Schwarz",
    "Zimmermann",
    "Braun",
    "Krüger",
    "Hartmann",
];
const PORTUGUESE: [&str; 12] =
    ["Ana", "João", "Beatriz", "Lucas", "Mariana", "Pedro", "Júlia", "Rafael", "Camila", "Thiago", "Larissa", "Bruno"];
const PORTUGUESE_LAST: [&str; 10] = ["Silva", "Santos", "Oliveira", "Souza", "Lima", "Pereira", "Costa", "Ferreira", "Almeida", "Ribeiro"];

/// One of a list, by a number that means nothing.
pub fn pick<T: Copy>(list: &[T], random: u64) -> T {
    list[(random % list.len() as u64) as usize]
}

impl Person {
    pub fn new(number: u64) -> Person {
        let dice = |salt: u64| mix(number.wrapping_mul(31).wrapping_add(salt));
        let (country, language, time_zone) = match dice(1) % 20 {
            0..11 => ("DE", "de", "Europe/Berlin"),
            11..15 => ("AT", "de", "Europe/Vienna"),
            _ => ("BR", "pt", "America/Sao_Paulo"),
        };
        let (first, last) = if language == "pt" {
            (pick(&PORTUGUESE, dice(2)), pick(&PORTUGUESE_LAST, dice(3)))
        } else {
            (pick(&GERMAN, dice(2)), pick(&GERMAN_LAST, dice(3)))
        };
        Person {
            number,
            country,
            // Some live abroad.
            language: if dice(4).is_multiple_of(15) { "en" } else { language },
            time_zone,
            first_name: first,
            last_name: last,
            energy: country == "DE" && dice(5).is_multiple_of(5),
            area: pick(&AREAS, dice(6)),
            marketing: dice(7) % 10 < 7,
            survey: dice(8) % 10 < 4,
            push: dice(9).is_multiple_of(3),
        }
    }

    pub fn user_id(&self) -> String {
        format!("c{}", 10_000 + self.number)
    }

    pub fn anonymous_id(&self) -> String {
        format!("web-{:08x}", mix(self.number) as u32)
    }

    pub fn email(&self) -> String {
        let plain = |text: &str| text.to_lowercase().replace('ü', "ue").replace('ã', "a").replace('ú', "u");
        format!("{}.{}{}@example.{}", plain(self.first_name), plain(self.last_name), self.number, self.country.to_lowercase())
    }

    /// From ranges that are kept free for films and tests where a country has one.
    pub fn phone(&self) -> String {
        match self.country {
            "DE" => format!("+4915{:09}", 550_000_000 + self.number),
            "AT" => format!("+43660{:07}", 5_500_000 + self.number),
            _ => format!("+55119{:08}", 55_000_000 + self.number),
        }
    }

    pub fn currency(&self) -> &'static str {
        if self.country == "BR" { "BRL" } else { "EUR" }
    }
}
