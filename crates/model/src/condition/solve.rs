//! When does a condition change only because time passes?
//!
//! `now` may stand in comparisons whose sides are sums of `now`, instants and lengths of time. Such a
//! comparison is `k * now + c OP 0` in whole milliseconds, and its next flip can be computed.

use super::code::{Code, Operation};
use super::evaluate::{Frame, holds, loop_items, value};
use super::functions::Function;
use super::parse::{Arithmetic, Comparison};
use super::{Attribute, Root, Scope, problem};
use crate::diagnostic::Problem;
use crate::{Timestamp, Value};

/// Reports every `now` that stands where its effect cannot be computed ahead.
pub(super) fn check_solvable(code: &Code, problems: &mut Vec<Problem>) {
    if is_now(code) {
        let help = "compare it: `now - profile.traits.x > duration(\"30d\")`, or `now > profile.traits.x + duration(\"1d\")`";
        let message = "it cannot be computed when this use of `now` changes the answer".to_owned();
        problems.push(problem("condition-now-unsolvable", code.place, message, help));
        return;
    }
    each_open_part(code, &mut |part| check_solvable(part, problems));
}

/// The earliest instant after `now` at which a comparison with `now` flips.
pub(super) fn next_change(code: &Code, scope: &dyn Scope, now: Timestamp) -> Option<Timestamp> {
    let scope = At { scope, now };
    let mut earliest = None;
    walk(code, Frame { scope: &scope, item: None }, now, &mut earliest);
    earliest
}

fn is_now(code: &Code) -> bool {
    matches!(&code.operation, Operation::Attribute(attribute) if attribute.root == Root::Now)
}

/// Whether this is a sum in which `now` may occur.
fn is_sum(code: &Code) -> bool {
    match &code.operation {
        Operation::Arithmetic(Arithmetic::Add | Arithmetic::Subtract, sides) => sides.iter().all(is_sum),
        Operation::Call(Function::Timestamp, arguments) => arguments.iter().all(is_sum),
        Operation::Choose(parts) => is_sum(&parts[1]) && is_sum(&parts[2]),
        _ => is_now(code) || !code.uses_now(),
    }
}

fn is_solvable(sides: &[Code; 2]) -> bool {
    sides.iter().any(Code::uses_now) && sides.iter().all(is_sum)
}

/// The parts that may hold further comparisons; the sums of a comparison that can be solved are left out.
fn each_open_part<'a>(code: &'a Code, visit: &mut dyn FnMut(&'a Code)) {
    match &code.operation {
        Operation::Compare(_, sides) if is_solvable(sides) => sides.iter().for_each(|side| each_choice(side, visit)),
        _ => code.each_part(visit),
    }
}

/// The conditions of `?:` inside a sum.
fn each_choice<'a>(sum: &'a Code, visit: &mut dyn FnMut(&'a Code)) {
    match &sum.operation {
        Operation::Choose(parts) => {
            visit(&parts[0]);
            each_choice(&parts[1], visit);
            each_choice(&parts[2], visit);
        }
        Operation::Arithmetic(..) | Operation::Call(Function::Timestamp, _) if sum.uses_now() => {
            sum.each_part(&mut |part| each_choice(part, visit));
        }
        _ => {}
    }
}

/// Until the earliest flip all comparisons keep their values, so what is found with today's values
/// of lists and `?:` is right for the earliest.
fn walk(code: &Code, frame: Frame<'_>, now: Timestamp, earliest: &mut Option<Timestamp>) {
    match &code.operation {
        Operation::Compare(comparison, sides) if is_solvable(sides) => {
            let flip = flip_after(*comparison, sides, frame, now);
            *earliest = [*earliest, flip].into_iter().flatten().min();
        }
        Operation::Loop(inner) if inner.body.uses_now() || inner.guard.as_ref().is_some_and(Code::uses_now) => {
            walk(&inner.range, frame, now, earliest);
            let range = value(&inner.range, frame);
            for item in loop_items(&range).unwrap_or_default() {
                let frame = Frame { item: Some(item), ..frame };
                inner.guard.iter().chain([&inner.body]).for_each(|part| walk(part, frame, now, earliest));
            }
            return;
        }
        _ => {}
    }
    each_open_part(code, &mut |part| walk(part, frame, now, earliest));
}

/// `times * now + rest`, in milliseconds: an instant or a length of time.
#[derive(Clone, Copy)]
struct Moving {
    times: i128,
    rest: i128,
    is_instant: bool,
}

/// `None` when the sum is null, whatever the time.
fn moving(code: &Code, frame: Frame<'_>) -> Option<Moving> {
    if is_now(code) {
        return Some(Moving { times: 1, rest: 0, is_instant: true });
    }
    if !code.uses_now() {
        let fixed = |milli: i64, is_instant| Moving { times: 0, rest: i128::from(milli), is_instant };
        return match &*value(code, frame) {
            Value::Time(at) => Some(fixed(at.0, true)),
            Value::Span(span) => Some(fixed(span.0, false)),
            Value::Text(text) => Timestamp::parse(text).ok().map(|at| fixed(at.0, true)),
            _ => None,
        };
    }
    match &code.operation {
        Operation::Arithmetic(operator, sides) => {
            let (left, right) = (moving(&sides[0], frame)?, moving(&sides[1], frame)?);
            match (operator, left.is_instant, right.is_instant) {
                (Arithmetic::Add, true, true) | (Arithmetic::Subtract, false, true) => None,
                (Arithmetic::Add, _, _) => Some(Moving {
                    times: left.times + right.times,
                    rest: left.rest + right.rest,
                    is_instant: left.is_instant || right.is_instant,
                }),
                (Arithmetic::Subtract, _, _) => Some(difference(left, right)),
                _ => None,
            }
        }
        Operation::Call(Function::Timestamp, arguments) => moving(arguments.first()?, frame).filter(|sum| sum.is_instant),
        Operation::Choose(parts) => moving(if holds(&parts[0], frame) { &parts[1] } else { &parts[2] }, frame),
        _ => None,
    }
}

fn difference(left: Moving, right: Moving) -> Moving {
    Moving { times: left.times - right.times, rest: left.rest - right.rest, is_instant: left.is_instant && !right.is_instant }
}

fn flip_after(comparison: Comparison, sides: &[Code; 2], frame: Frame<'_>, now: Timestamp) -> Option<Timestamp> {
    let (left, right) = (moving(&sides[0], frame)?, moving(&sides[1], frame)?);
    if left.is_instant != right.is_instant {
        return None;
    }
    let sum = difference(left, right);
    if sum.times == 0 {
        return None;
    }
    // times * t + rest is zero at t = -rest / times; the first whole t at or after that, and the first after it.
    let (above, below) = if sum.times > 0 { (-sum.rest, sum.times) } else { (sum.rest, -sum.times) };
    let after = above.div_euclid(below) + 1;
    let at_or_after = if above.rem_euclid(below) == 0 { after - 1 } else { after };
    let rising = sum.times > 0;
    let flips = match comparison {
        Comparison::Equal | Comparison::NotEqual if at_or_after == after => [None, None],
        Comparison::Equal | Comparison::NotEqual => [Some(at_or_after), Some(after)],
        Comparison::Greater | Comparison::LessOrEqual => [Some(if rising { after } else { at_or_after }), None],
        Comparison::GreaterOrEqual | Comparison::Less => [Some(if rising { at_or_after } else { after }), None],
    };
    let later = flips.into_iter().flatten().filter(|flip| *flip > i128::from(now.0)).min()?;
    i64::try_from(later).ok().map(Timestamp)
}

/// The scope at a given instant.
struct At<'a> {
    scope: &'a dyn Scope,
    now: Timestamp,
}

impl Scope for At<'_> {
    fn attribute(&self, attribute: &Attribute) -> Value {
        if attribute.root == Root::Now { Value::Time(self.now) } else { self.scope.attribute(attribute) }
    }
}
