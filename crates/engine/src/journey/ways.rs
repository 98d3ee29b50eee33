//! The ways on from each step, with the words under which they are gone: what a map of a journey shows.

use super::{JourneyVersion, StepKind, Target};
use faden_model::Text;

/// One way on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The condition, arm or outcome; empty where there is no other way.
    pub went: Text,
    pub to: Target,
}

fn way(went: impl Into<Text>, to: Target) -> Way {
    Way { went: went.into(), to }
}

impl StepKind {
    /// The ways on, in the order in which they are written; branches of a `parallel` without its way on.
    pub fn ways(&self) -> Vec<Way> {
        match self {
            StepKind::Send(send) => vec![way("sent", send.sent), way("suppressed", send.suppressed), way("failed", send.failed)],
            StepKind::WaitEvent { timeout, matched, timed_out, .. } | StepKind::WaitAudience { timeout, matched, timed_out, .. } => {
                let timed_out = timeout.map(|_| way("timeout", *timed_out));
                std::iter::once(way("matched", *matched)).chain(timed_out).collect()
            }
            StepKind::Branch { arms, otherwise } => {
                let arms = arms.iter().map(|(condition, to)| way(condition.source(), *to));
                arms.chain([way("otherwise", *otherwise)]).collect()
            }
            StepKind::Split { experiment, arms, holdout } => {
                let arms = experiment.arms.iter().zip(arms).map(|(arm, to)| way(arm.name.clone(), *to));
                let kept_out = (experiment.holdout > 0).then(|| way("holdout", *holdout));
                let others = experiment.group.as_ref().map(|_| way("out_of_group", *holdout));
                arms.chain(kept_out).chain(others).collect()
            }
            StepKind::Parallel { branches, .. } => branches.iter().map(|to| way("", *to)).collect(),
            StepKind::Goto { to, exceeded, .. } if to == exceeded => vec![way("", *to)],
            StepKind::Goto { to, exceeded, .. } => vec![way("", *to), way("", *exceeded)],
            StepKind::WaitFor { next, .. }
            | StepKind::WaitUntil { next, .. }
            | StepKind::WaitInstant { next, .. }
            | StepKind::Set { next, .. }
            | StepKind::Emit { next, .. }
            | StepKind::Subscribe { next, .. }
            | StepKind::Journey { next, .. } => vec![way("", *next)],
            StepKind::End | StepKind::Unavailable { .. } => vec![way("", Target::End)],
        }
    }

    /// Whether somebody may stand here over time.
    pub fn waits(&self) -> bool {
        match self {
            StepKind::Send(_)
            | StepKind::WaitFor { .. }
            | StepKind::WaitUntil { .. }
            | StepKind::WaitInstant { .. }
            | StepKind::WaitEvent { .. }
            | StepKind::WaitAudience { .. } => true,
            StepKind::Journey { wait, .. } => *wait,
            _ => false,
        }
    }
}

impl JourneyVersion {
    /// The step at which somebody arrives: where a branch ends, what comes behind its `parallel`; `None` for the end.
    pub fn arrival(&self, mut target: Target) -> Option<u16> {
        loop {
            match target {
                Target::Step(step) => return Some(step),
                Target::End => return None,
                Target::Join(parallel) => match self.steps.get(usize::from(parallel)).map(|step| &step.kind) {
                    Some(StepKind::Parallel { next, .. }) => target = *next,
                    _ => return None,
                },
            }
        }
    }

    /// Whether a step stands inside a branch of a `parallel`.
    pub fn in_parallel(&self, step: u16) -> bool {
        let mut steps = (0u16..).zip(&self.steps);
        steps.any(|(at, known)| matches!(known.kind, StepKind::Parallel { until, .. } if step > at && step < until))
    }
}
