//! The default alphabet of SMS (GSM 03.38, 3GPP TS 23.038 clause 6.2.1) and its extension table, one septet in each
//! octet as SMPP carries it; and the other codings that replies come in.

/// The position of a character is its septet; 0x1b leads to [`EXTENSION`].
const BASIC: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', //
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1b}', 'Æ', 'æ', 'ß', 'É', //
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', //
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', //
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', //
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', //
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', //
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

const ESCAPE: u8 = 0x1b;

const EXTENSION: [(u8, char); 10] =
    [(0x0a, '\u{c}'), (0x14, '^'), (0x28, '{'), (0x29, '}'), (0x2f, '\\'), (0x3c, '['), (0x3d, '~'), (0x3e, ']'), (0x40, '|'), (0x65, '€')];

/// Adds the one or two septets of a character; `false` when the alphabet does not have it.
pub fn push_septets(character: char, out: &mut Vec<u8>) -> bool {
    if let Some(septet) = BASIC.iter().position(|known| *known == character && character != '\u{1b}') {
        out.push(septet as u8);
        return true;
    }
    let Some((septet, _)) = EXTENSION.iter().find(|(_, known)| *known == character) else { return false };
    out.extend([ESCAPE, *septet]);
    true
}

/// As 23.038 wants it: an unknown extension shows as its basic character, an escape at the end as a space.
pub fn read_septets(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    let mut rest = octets.iter().map(|octet| octet & 0x7f);
    while let Some(septet) = rest.next() {
        if septet != ESCAPE {
            text.push(BASIC[usize::from(septet)]);
            continue;
        }
        match rest.next() {
            None | Some(ESCAPE) => text.push(' '),
            Some(second) => {
                let extended = EXTENSION.iter().find(|(known, _)| *known == second);
                text.push(extended.map_or(BASIC[usize::from(second)], |(_, character)| *character));
            }
        }
    }
    text
}

/// Text by its `data_coding`. What is binary or of a coding that is not spoken here reads as Latin-1.
pub fn read(data_coding: u8, octets: &[u8]) -> String {
    match data_coding {
        // Default alphabet, also with a message class (0xf0 to 0xf3) or "general, class 0" (0x10 to 0x13).
        0x00 | 0x10..=0x13 | 0xf0..=0xf3 => read_septets(octets),
        // "IA5" where many centres mean the default alphabet: only there do characters lie below the space.
        0x01 if octets.iter().any(|octet| *octet < 0x20 && !matches!(octet, b'\n' | b'\r')) => read_septets(octets),
        0x08 | 0x18..=0x1b => {
            let units: Vec<u16> = octets.chunks(2).map(|pair| pair.iter().fold(0, |sum, octet| sum << 8 | u16::from(*octet))).collect();
            String::from_utf16_lossy(&units)
        }
        _ => octets.iter().map(|octet| char::from(*octet)).collect(),
    }
}
