//! The part of a reply that is new: without quoted lines, the line that introduces them, and the signature.
//!
//! By the habits of the common mail programs in eight languages. Where nothing new remains, or the rules do
//! not fit, the whole text stays: losing a customer's words is worse than repeating ours.

/// "wrote", as mail programs put it before a quotation.
const WROTE: [&str; 12] =
    ["wrote", "schrieb", "a écrit", "escribió", "ha scritto", "schreef", "escreveu", "napisał", "skrev", "написал", "пишет", "写道"];

/// How such a line begins, when it goes on in the next.
const BEFORE: [&str; 9] = ["on ", "am ", "le ", "el ", "il ", "op ", "em ", "dnia ", "den "];

/// The middle of `-----Original Message-----`.
const ORIGINAL: [&str; 9] = [
    "original message",
    "ursprüngliche nachricht",
    "originalnachricht",
    "message d'origine",
    "mensaje original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "mensagem original",
    "forwarded message",
];

/// First line of the headers that Outlook repeats above the old mail.
const FROM: [&str; 6] = ["from:", "von:", "de:", "da:", "van:", "от:"];
/// One of the lines after it.
const SENT: [&str; 9] = ["sent:", "date:", "gesendet:", "datum:", "envoyé", "enviado", "inviato:", "verzonden:", "отправлено:"];

/// An introduction is folded into at most so many lines, of at most so many bytes together.
const INTRODUCTION_LINES_MAX: usize = 3;
const INTRODUCTION_LENGTH_MAX: usize = 400;

pub fn reply_part(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut kept: Vec<&str> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        if is_quoted(line) {
            at += 1;
        } else if line == "--" || is_original(line) || is_outlook(&lines[at..]) {
            break;
        } else if let Some(length) = introduction(&lines[at..]) {
            // Text may go on below a quotation that is marked; one that is not marked reaches to the end.
            at += length;
            let next = lines[at..].iter().find(|line| !line.is_empty());
            if !next.is_some_and(|line| is_quoted(line)) {
                break;
            }
        } else {
            kept.push(line);
            at += 1;
        }
    }
    while kept.last().is_some_and(|line| line.trim_matches(['_', '-', '*', ' ']).is_empty()) {
        kept.pop();
    }
    let new = squeezed(&kept);
    if new.is_empty() { squeezed(&lines) } else { new }
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

fn is_original(line: &str) -> bool {
    let middle = line.trim().trim_matches('-').trim();
    line.trim().starts_with("--") && ORIGINAL.contains(&middle.to_lowercase().as_str())
}

fn is_outlook(lines: &[&str]) -> bool {
    let begins = |line: &str, words: &[&str]| {
        let line = line.trim().trim_start_matches('*').to_lowercase();
        words.iter().any(|word| line.starts_with(word))
    };
    lines.first().is_some_and(|line| begins(line, &FROM)) && lines.iter().skip(1).take(3).any(|line| begins(line, &SENT))
}

/// How many lines here say "On that day somebody wrote:".
fn introduction(lines: &[&str]) -> Option<usize> {
    let first = lines.first()?.trim().to_lowercase();
    if is_introduction(&first) {
        return Some(1);
    }
    let may_go_on = BEFORE.iter().any(|before| first.starts_with(before)) || first.contains('@') || first.contains('<');
    (2..=INTRODUCTION_LINES_MAX.min(lines.len())).find(|length| {
        let together = lines[..*length].iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        may_go_on && !lines[..*length].contains(&"") && is_introduction(&together.to_lowercase())
    })
}

fn is_introduction(line: &str) -> bool {
    line.len() <= INTRODUCTION_LENGTH_MAX
        && line.ends_with([':', '：'])
        && line.contains(|c: char| c.is_ascii_digit())
        && WROTE.iter().any(|wrote| line.contains(wrote))
}

/// No more than one empty line in a row, none at the ends.
fn squeezed(lines: &[&str]) -> String {
    let mut out = String::new();
    for line in lines {
        if !line.is_empty() || (!out.is_empty() && !out.ends_with("\n\n")) {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_in_a_reply_remains() {
        for (text, new) in [
            ("Yes please.\n\nOn Mon, 2 Mar 2026 at 10:00, Shop <news@example.com> wrote:\n> Do you want it?\n", "Yes please."),
            ("Ja!\r\n\r\nAm Mo., 2. März 2026 um 10:00 Uhr schrieb Shop\r\n<news@example.com>:\r\n\r\n> Wollen Sie?\r\n", "Ja!"),
            ("Ja!\n\nShop <news@example.com> schrieb am Mo., 2. März 2026,\n10:00:\n\n> Wollen Sie?\n", "Ja!"),
            ("Oui\n\nLe lun. 2 mars 2026 à 10:00, Shop <news@example.com> a écrit :\n> Voulez-vous ?", "Oui"),
            ("On Mon, 2 Mar 2026 Shop wrote:\n> Size?\n\n42\n\n> Colour?\nblue", "42\n\nblue"),
            ("Done\n\n-----Original Message-----\nFrom: Shop\nold text", "Done"),
            (
                "Erledigt\n\n________________________________\nVon: Shop <news@example.com>\nGesendet: Montag, 2. März 2026 10:00\nAn: Ada\n\nalter Text",
                "Erledigt",
            ),
            ("Done\n\n*From:* Shop\n*Sent:* Monday\nold text", "Done"),
            ("Call me\n-- \nAda Lovelace\nLondon", "Call me"),
            ("On 2 March Ada wrote:\nold text without marks", "On 2 March Ada wrote:\nold text without marks"),
            ("> only a quotation\n", "> only a quotation"),
            ("I am from: nowhere\nFrom: here\nto there", "I am from: nowhere\nFrom: here\nto there"),
            ("He wrote:\nnothing with a date", "He wrote:\nnothing with a date"),
            ("Two\n\n\n\n\nparagraphs\n", "Two\n\nparagraphs"),
            ("Thanks!\nOn 2 March 2026 Shop wrote:\n> old", "Thanks!"),
            ("", ""),
        ] {
            assert_eq!(reply_part(text), new, "{text}");
        }
    }
}
