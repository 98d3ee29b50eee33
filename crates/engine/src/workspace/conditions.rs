//! Conditions inside definitions: from a scalar to a checked expression, problems at their bytes.

use super::code;
use super::fields::kind_of;
use super::report::Sheet;
use super::schema::Names;
use super::suggest::hint;
use super::yaml::{self, Node};
use faden_model::Text;
use faden_model::condition::{self, Expression, Options, Type};
use faden_model::diagnostic::ByteRange;

/// What a condition may do at its place.
const CONDITION: Options = Options { condition_wanted: true, solve_now: false };
const RULE: Options = Options { condition_wanted: true, solve_now: true };

/// A condition on something that happens.
pub fn condition(sheet: &Sheet<'_>, node: &Node, name: &str, names: Names<'_>) -> Option<Expression> {
    compile(sheet, node, name, names, CONDITION)
}

/// The rule of an audience: `now` only where its effect can be computed ahead.
pub fn rule(sheet: &Sheet<'_>, node: &Node, name: &str, names: Names<'_>) -> Option<Expression> {
    compile(sheet, node, name, names, RULE)
}

/// An expression that gives any value.
pub fn expression(sheet: &Sheet<'_>, node: &Node, name: &str, names: Names<'_>) -> Option<Expression> {
    if let Some(word) = node.text().filter(|text| is_bare_word(text)) {
        let value = if word.contains([' ', '-']) { String::new() } else { format!("; for a value, say whose: `profile.traits.{word}`") };
        let help = format!("for the text, quote it twice: `{name}: '\"{word}\"'`{value}");
        sheet.error(node.place, code::UNKNOWN_ATTRIBUTE, format!("`{word}` is neither a value nor a name that is known here"), help);
        return None;
    }
    compile(sheet, node, name, names, Options::default())
}

/// An expression that must give an instant.
pub fn instant(sheet: &Sheet<'_>, node: &Node, name: &str, names: Names<'_>) -> Option<Expression> {
    let expression = expression(sheet, node, name, names)?;
    match expression.result_type() {
        Type::Time | Type::Any | Type::Text => Some(expression),
        other => {
            let message = format!("`{name}` gives {}, not a time", super::schema::type_name(other));
            sheet.error(node.place, code::WRONG_TYPE, message, "write something like `event.timestamp + 2d` or `profile.traits.renews_at`");
            None
        }
    }
}

fn compile(sheet: &Sheet<'_>, node: &Node, name: &str, names: Names<'_>, options: Options) -> Option<Expression> {
    let Some(source) = node.text() else {
        let help = "write an expression, such as `profile.traits.tier == \"gold\"`";
        sheet.error(super::fields::first_line(sheet, node.place), code::WRONG_TYPE, format!("`{name}` is {}", kind_of(node)), help);
        return None;
    };
    audience_names(sheet, node, source, names);
    match condition::compile_with(source, &names, options) {
        Ok(compiled) => {
            compiled.warnings.into_iter().for_each(|problem| sheet.push_within(node, problem));
            Some(compiled.expression)
        }
        Err(problems) => {
            problems.into_iter().for_each(|problem| sheet.push_within(node, problem));
            None
        }
    }
}

fn is_bare_word(text: &str) -> bool {
    let roots = ["true", "false", "null", "now", "event", "profile", "enrollment", "case", "message", "traits", "audiences"];
    let mut letters = text.chars();
    letters.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && letters.all(|c| c.is_alphanumeric() || c == '_' || c == '-' || c == ' ')
        && !roots.contains(&text)
        && !text.split(' ').any(|word| word == "in")
}

/// The audiences that a condition names: `"gold" in profile.audiences`, with the byte range of each name.
pub fn named_audiences(source: &str) -> Vec<(Text, ByteRange)> {
    let mut found = Vec::new();
    for (at, _) in source.match_indices("audiences") {
        let before = source[..at].strip_suffix("profile.").unwrap_or(&source[..at]).trim_end();
        let Some(before) = before.strip_suffix("in").map(str::trim_end) else { continue };
        let Some(quote) = before.chars().next_back().filter(|c| matches!(c, '"' | '\'')) else { continue };
        let inner = &before[..before.len() - 1];
        if let Some(start) = inner.rfind(quote) {
            found.push((Text::new(&inner[start + 1..]), ByteRange { start, end: before.len() }));
        }
    }
    found
}

fn audience_names(sheet: &Sheet<'_>, node: &Node, source: &str, names: Names<'_>) {
    for (audience, range) in named_audiences(source) {
        if !names.world.audiences.contains(&audience) {
            let place = yaml::place_within(sheet.text, node, range);
            unknown_audience(sheet, place, &audience, names.world);
        }
    }
}

/// Reports an audience that nobody defines.
pub fn unknown_audience(sheet: &Sheet<'_>, place: ByteRange, audience: &str, world: &super::world::World) {
    let known = hint(audience, world.audiences.iter().map(Text::as_str), "audiences");
    let help = if known.is_empty() { format!("write it into audiences/{audience}.yaml") } else { known };
    sheet.error(place, code::UNKNOWN_AUDIENCE, format!("there is no audience `{audience}`"), help);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audiences_that_a_condition_names_are_found() {
        for (source, names) in [
            ("\"gold\" in profile.audiences", vec!["gold"]),
            ("'a' in audiences && !(\"b\" in profile.audiences)", vec!["a", "b"]),
            ("profile.audiences.exists(a, a == \"gold\")", vec![]),
            ("\"gold\" in event.properties.audiences", vec![]),
            ("size(audiences) > 1", vec![]),
        ] {
            let found: Vec<String> = named_audiences(source).into_iter().map(|(name, _)| name.to_string()).collect();
            assert_eq!(found, names, "{source}");
        }
    }
}
