//! Tighten: does a region or brand say less than the global files?
//!
//! Since rules are merged to the tightest, a looser one could never take effect; whoever wrote it
//! believes otherwise, so it is an error. Each narrower file is held against all global files together.
//! A rule that only repeats a global one is fine, and so is one that adds something: only a rule that
//! can never matter because a global one of the same reach is stricter is refused.

use super::effective::{cap_code, minutes, said};
use super::plan::{Cap, Field, Level, Loosening, OptIn, PolicyFile, QuietHours};
use faden_model::Text;

const MINUTES_PER_DAY: usize = 24 * 60;

/// Every place that loosens, in the order of the files.
pub(super) fn find(files: &[PolicyFile]) -> Vec<Loosening> {
    let globals: Vec<&PolicyFile> = files.iter().filter(|file| file.level == Level::Global).collect();
    let mut found = Vec::new();
    for (file, own) in files.iter().enumerate().filter(|(_, file)| file.level != Level::Global) {
        let mut report = |field: Field, global: String, own_value: String, help: String| {
            found.push(Loosening { file, policy: own.name.clone(), field, global, own: own_value, help });
        };
        consent(own, &globals, &mut report);
        lists(own, &globals, &mut report);
        quiet_hours(own, &globals, &mut report);
        limits(own, &globals, &mut report);
        caps(own, &globals, &mut report);
    }
    found
}

type Report<'r> = &'r mut dyn FnMut(Field, String, String, String);

fn consent(own: &PolicyFile, globals: &[&PolicyFile], report: Report<'_>) {
    for (index, rule) in own.consent.iter().enumerate() {
        let written = globals.iter().filter_map(|global| said(global, &rule.purpose, rule.channel.as_deref())).max();
        let global = written.unwrap_or(OptIn::OptIn);
        if rule.kind < global {
            let place = rule.channel.as_ref().map_or_else(|| rule.purpose.to_string(), |channel| format!("{}.{channel}", rule.purpose));
            let told = if written.is_some() { String::new() } else { " (what holds when no file names the purpose)".to_owned() };
            report(
                Field::Consent { index },
                format!("`{place}: {}`{told}", global.name()),
                format!("`{}`", rule.kind.name()),
                format!("write `{}` or stricter, or loosen the global policy", global.name()),
            );
        }
    }
}

/// Channels and languages: a narrower list must be part of every global one.
fn lists(own: &PolicyFile, globals: &[&PolicyFile], report: Report<'_>) {
    let mut compare = |own: &Option<Vec<Text>>, global: &Option<Vec<Text>>, field: fn(usize) -> Field| {
        let (Some(own), Some(global)) = (own, global) else { return };
        for (index, name) in own.iter().enumerate().filter(|(_, name)| !global.contains(name)) {
            let help = format!("remove `{name}`, or allow it in the global policy");
            report(field(index), format!("`[{}]`", global.join(", ")), format!("`{name}`"), help);
        }
    };
    for global in globals {
        compare(&own.channels, &global.channels, |index| Field::Channels { index });
        compare(&own.languages, &global.languages, |index| Field::Languages { index });
    }
}

fn limits(own: &PolicyFile, globals: &[&PolicyFile], report: Report<'_>) {
    if let (Some(own), Some(global)) = (own.max_hold, globals.iter().filter_map(|global| global.max_hold).min())
        && own > global
    {
        report(Field::MaxHold, format!("`{global}`"), format!("`{own}`"), format!("write at most `{global}`"));
    }
    for (index, (kind, span)) in own.retention.iter().enumerate() {
        let global = globals.iter().flat_map(|global| &global.retention).filter(|(known, _)| known == kind).map(|(_, span)| *span).min();
        if let Some(global) = global.filter(|global| span > global) {
            let help = format!("write at most `{global}`");
            report(Field::Retention { index }, format!("`{kind}: {global}`"), format!("`{span}`"), help);
        }
    }
}

fn quiet_hours(own: &PolicyFile, globals: &[&PolicyFile], report: Report<'_>) {
    for (index, quiet) in own.quiet_hours.iter().enumerate() {
        let looser = |global: &&QuietHours| {
            part_of(&quiet.purposes, &global.purposes)
                && part_of(&quiet.channels, &global.channels)
                && quiet.on_quiet <= global.on_quiet
                && inside(quiet, global)
                && (quiet.on_quiet < global.on_quiet || !inside(global, quiet))
        };
        if let Some(global) = globals.iter().flat_map(|global| &global.quiet_hours).find(looser) {
            let help = "cover at least the global hours, on the same days, or leave them out here";
            report(Field::QuietHours { index }, written(global), written(quiet), help.to_owned());
        }
    }
}

fn written(quiet: &QuietHours) -> String {
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let days: Vec<&str> = names.into_iter().enumerate().filter(|(day, _)| quiet.days & (1 << day) != 0).map(|(_, name)| name).collect();
    let days = if days.len() == names.len() { "every day".to_owned() } else { days.join(", ") };
    let what = if quiet.on_quiet == super::OnQuiet::Suppress { ", suppress" } else { "" };
    format!("`{} to {}` ({days}{what})", minutes(quiet.from), minutes(quiet.to))
}

/// Whether what the first list means is part of what the second means; an empty list means everything.
fn part_of(own: &[Text], global: &[Text]) -> bool {
    global.is_empty() || (!own.is_empty() && own.iter().all(|name| global.contains(name)))
}

/// Whether every minute of the week that the first covers is covered by the second.
fn inside(own: &QuietHours, global: &QuietHours) -> bool {
    (0..7 * MINUTES_PER_DAY).all(|minute| !covers(own, minute) || covers(global, minute))
}

fn covers(quiet: &QuietHours, minute_of_week: usize) -> bool {
    let (day, minute) = (minute_of_week / MINUTES_PER_DAY, minute_of_week % MINUTES_PER_DAY);
    let begins = |day: usize| quiet.days & (1 << (day % 7)) != 0;
    let (from, to) = (usize::from(quiet.from), usize::from(quiet.to));
    if from < to {
        return minute >= from && minute < to && begins(day);
    }
    (minute >= from && begins(day)) || (minute < to && begins(day + 6))
}

fn caps(own: &PolicyFile, globals: &[&PolicyFile], report: Report<'_>) {
    for (index, cap) in own.caps.iter().enumerate() {
        if let Some(global) = globals.iter().flat_map(|global| &global.caps).find(|global| never_matters(cap, global)) {
            let help = format!("write at most {} in at least `{}`, or leave the cap out here", global.max, global.within);
            report(Field::Cap { index }, cap_text(global), cap_text(cap), help);
        }
    }
}

fn cap_text(cap: &Cap) -> String {
    match cap.reserve {
        Some(reserve) => format!("`{}` (reserve of {} for priority {} and up)", cap_code(cap), reserve.slots, reserve.priority),
        None => format!("`{}`", cap_code(cap)),
    }
}

/// Whether the global cap stops all that this one would stop, and more.
fn never_matters(own: &Cap, global: &Cap) -> bool {
    let narrower = (global.purpose.is_none() || own.purpose == global.purpose)
        && (global.channel.is_none() || own.channel == global.channel)
        && (own.per_journey || !global.per_journey);
    let reserve_weaker = match (own.reserve, global.reserve) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(own_reserve), Some(global_reserve)) => {
            own_reserve.priority <= global_reserve.priority
                && own.max.saturating_sub(own_reserve.slots) >= global.max.saturating_sub(global_reserve.slots)
        }
    };
    let same = own.max == global.max && own.within == global.within && own.reserve == global.reserve;
    narrower && own.max >= global.max && own.within <= global.within && reserve_weaker && !same
}
