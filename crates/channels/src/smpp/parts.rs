//! One text, cut into the parts that fit a short message each.
//!
//! GSM 03.38 when every character is in it, UCS-2 otherwise. Several parts carry a header with an 8-bit reference
//! (3GPP TS 23.040 clause 9.2.3.24.1). An escaped character or a surrogate pair is never cut in two.

use super::alphabet;

/// Longest text, in parts.
pub const MAX_PARTS: usize = 10;

const GSM7: u8 = 0x00;
const UCS2: u8 = 0x08;

/// A text as it goes over the air.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    pub data_coding: u8,
    /// User data with its header if there are several.
    pub user_data: Vec<Vec<u8>>,
}

/// `None` when the text needs more than [`MAX_PARTS`].
pub fn cut(text: &str, reference: u8) -> Option<Parts> {
    let (data_coding, characters, (alone, among)) = match septets(text) {
        Some(characters) => (GSM7, characters, (160, 153)),
        None => (UCS2, code_units(text), (140, 134)),
    };
    if characters.iter().map(Vec::len).sum::<usize>() <= alone {
        return Some(Parts { data_coding, user_data: vec![characters.concat()] });
    }
    let mut user_data: Vec<Vec<u8>> = vec![Vec::new()];
    for character in &characters {
        let full = user_data.last().is_none_or(|part| part.len() + character.len() > among);
        if full {
            user_data.push(Vec::new());
        }
        if let Some(part) = user_data.last_mut() {
            part.extend_from_slice(character);
        }
    }
    let total = u8::try_from(user_data.len()).ok().filter(|total| usize::from(*total) <= MAX_PARTS)?;
    for (part, number) in user_data.iter_mut().zip(1u8..) {
        part.splice(0..0, [5, 0, 3, reference, total, number]);
    }
    Some(Parts { data_coding, user_data })
}

fn septets(text: &str) -> Option<Vec<Vec<u8>>> {
    let one = |character| {
        let mut septets = Vec::with_capacity(2);
        alphabet::push_septets(character, &mut septets).then_some(septets)
    };
    text.chars().map(one).collect()
}

fn code_units(text: &str) -> Vec<Vec<u8>> {
    text.chars().map(|character| character.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()).collect()).collect()
}

/// Where a part belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub reference: u16,
    pub total: u8,
    /// From 1.
    pub number: u8,
}

/// Divides user data into its header's place, if it has one, and the rest.
pub fn take_header(user_data: &[u8]) -> (Option<Place>, &[u8]) {
    let Some((header, rest)) = user_data.split_first().and_then(|(length, rest)| rest.split_at_checked(usize::from(*length))) else {
        return (None, user_data);
    };
    let mut elements = header;
    while let [kind, length, more @ ..] = elements {
        let Some((value, next)) = more.split_at_checked(usize::from(*length)) else { break };
        let place = match (kind, value) {
            (0x00, [reference, total, number]) => Some(Place { reference: u16::from(*reference), total: *total, number: *number }),
            (0x08, [high, low, total, number]) => {
                Some(Place { reference: u16::from_be_bytes([*high, *low]), total: *total, number: *number })
            }
            _ => None,
        };
        if place.is_some_and(Place::is_sound) {
            return (place, rest);
        }
        elements = next;
    }
    (None, rest)
}

impl Place {
    pub fn is_sound(self) -> bool {
        (1..=self.total).contains(&self.number)
    }
}
