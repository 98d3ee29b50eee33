//! Who can reach whom: steps that nobody comes to, and loops that nothing stops.

use super::outline::Outline;
use crate::journey::{Step, StepKind, Target};
use crate::workspace::code;
use crate::workspace::report::Sheet;

/// A way from one step to another.
#[derive(Clone, Copy)]
struct Way {
    to: usize,
    /// Taking it needs time to pass, an event to come, or is counted: so it cannot go round at once for ever.
    limited: bool,
}

pub fn check(sheet: &Sheet<'_>, outline: &Outline<'_>, steps: &[Step]) {
    let ways: Vec<Vec<Way>> = (0..steps.len()).map(|index| ways_from(steps, index)).collect();
    let reached = reached(&ways);
    // Where an unavailable step leads is not read, so it might lead anywhere.
    let known = !steps.iter().any(|step| matches!(step.kind, StepKind::Unavailable { .. }));
    for (draft, _) in outline.steps.iter().zip(&reached).filter(|(_, reached)| known && !**reached) {
        let help = "let another step lead here, or remove it";
        sheet.warning(draft.id_place, code::UNREACHABLE_STEP, format!("nobody comes to the step `{}`", draft.id), help);
    }
    for circle in circles(&ways) {
        let names: Vec<&str> = circle.iter().chain(circle.first()).map(|index| steps[*index].id.as_str()).collect();
        let message = format!("these steps go round without end at one instant: {}", names.join(" -> "));
        let help = "go back by `goto: {to: STEP, max: 3}`, or put a `wait: {for: ...}` or a `wait` for an event between; \
                    `wait: {until: ...}` is over at once when its time is there";
        sheet.error(outline.steps[circle[0]].id_place, code::LOOP_WITHOUT_LIMIT, message, help);
    }
}

/// The ways on from a step; ends lead nowhere, the end of a branch leads on from its `parallel`.
fn ways_from(steps: &[Step], index: usize) -> Vec<Way> {
    let mut ways = Vec::new();
    let mut add = |target: Target, limited: bool| {
        let mut target = target;
        // A branch may end in a `parallel` that itself ends a branch, so ends are followed outwards.
        for _ in 0..steps.len() {
            match target {
                Target::Step(to) => {
                    ways.push(Way { to: usize::from(to), limited });
                    return;
                }
                Target::End => return,
                Target::Join(parent) => match steps.get(usize::from(parent)).map(|step| &step.kind) {
                    Some(StepKind::Parallel { next, .. }) => target = *next,
                    _ => return,
                },
            }
        }
    };
    match &steps[index].kind {
        StepKind::Send(send) => [send.sent, send.suppressed, send.failed].into_iter().for_each(|to| add(to, false)),
        StepKind::WaitFor { span, next } => add(*next, span.0 > 0),
        StepKind::WaitEvent { matched, timed_out, timeout, .. } => {
            add(*matched, true);
            if timeout.is_some() {
                add(*timed_out, true);
            }
        }
        StepKind::WaitAudience { matched, timed_out, timeout, .. } => {
            add(*matched, false);
            if timeout.is_some() {
                add(*timed_out, true);
            }
        }
        StepKind::Branch { arms, otherwise } => {
            arms.iter().for_each(|(_, to)| add(*to, false));
            add(*otherwise, false);
        }
        StepKind::Split { arms, holdout, .. } => {
            arms.iter().for_each(|to| add(*to, false));
            add(*holdout, false);
        }
        StepKind::WaitUntil { next, .. }
        | StepKind::WaitInstant { next, .. }
        | StepKind::Set { next, .. }
        | StepKind::Emit { next, .. }
        | StepKind::Subscribe { next, .. }
        | StepKind::Journey { next, .. } => add(*next, false),
        StepKind::Parallel { branches, next, .. } => {
            branches.iter().for_each(|to| add(*to, false));
            add(*next, false);
        }
        StepKind::Goto { to, exceeded, .. } => {
            add(*to, true);
            add(*exceeded, false);
        }
        StepKind::End | StepKind::Unavailable { .. } => {}
    }
    ways
}

fn reached(ways: &[Vec<Way>]) -> Vec<bool> {
    let mut reached = vec![false; ways.len()];
    let mut open: Vec<usize> = if ways.is_empty() { Vec::new() } else { vec![0] };
    while let Some(index) = open.pop() {
        if !std::mem::replace(&mut reached[index], true) {
            open.extend(ways[index].iter().map(|way| way.to));
        }
    }
    reached
}

/// Circles of ways without a limit, each beginning with its first step; one for each way that closes one.
fn circles(ways: &[Vec<Way>]) -> Vec<Vec<usize>> {
    let mut found: Vec<Vec<usize>> = Vec::new();
    let mut done = vec![false; ways.len()];
    for start in 0..ways.len() {
        // The path from `start`, each step with the number of its next way.
        let mut path: Vec<(usize, usize)> = if done[start] { Vec::new() } else { vec![(start, 0)] };
        while let Some((index, next)) = path.pop() {
            let Some(way) = ways[index].iter().filter(|way| !way.limited).nth(next) else {
                done[index] = true;
                continue;
            };
            path.push((index, next + 1));
            if let Some(at) = path.iter().position(|(on_path, _)| *on_path == way.to) {
                let mut circle: Vec<usize> = path[at..].iter().map(|(step, _)| *step).collect();
                let first = circle.iter().enumerate().min_by_key(|(_, step)| **step).map_or(0, |(at, _)| at);
                circle.rotate_left(first);
                if !found.contains(&circle) {
                    found.push(circle);
                }
            } else if !done[way.to] {
                path.push((way.to, 0));
            }
        }
    }
    found
}
