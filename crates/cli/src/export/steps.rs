//! The steps of passages, out of the decisions that made them: what process mining calls events.
//!
//! Neither addresses nor texts are taken along: a step names customer, passage and message by their ids.

use serde::Deserialize;

/// One decision about a passage.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Step {
    pub kind: String,
    pub id: String,
    pub at: String,
    #[serde(rename = "profile")]
    pub customer: String,
    #[serde(rename = "enrollment")]
    pub passage: String,
    pub journey: Option<String>,
    /// Of the journey, as it holds for this passage from here on.
    pub version: Option<String>,
    pub step: Option<String>,
    pub went: Option<String>,
    pub outcome: Option<String>,
    pub message: Option<String>,
    pub template: Option<String>,
    pub channel: Option<String>,
    pub rule: Option<String>,
    pub experiment: Option<String>,
    pub arm: Option<String>,
}

impl Step {
    /// `None` for a decision that is about no passage.
    pub fn read(line: &[u8]) -> Option<Step> {
        serde_json::from_slice(line).ok()
    }

    /// What was done, as a map of the process shows it.
    pub fn activity(&self) -> String {
        match (self.kind.as_str(), &self.step, &self.outcome) {
            ("step", Some(step), _) => step.clone(),
            ("message", _, Some(outcome)) => format!("message {outcome}"),
            ("ended", _, Some(outcome)) => format!("ended: {outcome}"),
            (kind, ..) => kind.to_owned(),
        }
    }

    /// Names and values of everything else that is known of it.
    pub fn attributes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        ATTRIBUTES.into_iter().filter_map(|name| {
            let value = match name {
                "journey" => &self.journey,
                "version" => &self.version,
                "step" => &self.step,
                "went" => &self.went,
                "outcome" => &self.outcome,
                "template" => &self.template,
                "channel" => &self.channel,
                "rule" => &self.rule,
                "experiment" => &self.experiment,
                _ => &self.arm,
            };
            Some((name, value.as_deref()?))
        })
    }
}

/// All names that [`Step::attributes`] gives.
pub const ATTRIBUTES: [&str; 10] = ["journey", "version", "step", "went", "outcome", "template", "channel", "rule", "experiment", "arm"];

/// Passages one after the other, the steps of each in the order of time. A passage that went over to another
/// profile by a merge stays together.
pub fn sort(steps: &mut [Step]) {
    // Stable: what one instant decided stays in its order.
    steps.sort_by(|one, other| (&one.passage, &one.at).cmp(&(&other.passage, &other.at)));
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Two passages; the second one's last step was decided under another profile.
    pub fn sample() -> Vec<Step> {
        let lines = [
            r#"{"kind":"audience","id":"dec_1_0","at":"2026-03-01T09:00:00Z","profile":"prf_1","audience":"a","change":"entered"}"#,
            r#"{"kind":"ended","id":"dec_0_9","at":"2026-03-01T12:00:00Z","profile":"prf_0","enrollment":"enr_1_0","journey":"cart","outcome":"goal","step":"hold"}"#,
            r#"{"kind":"enrolled","id":"dec_0_1","at":"2026-03-01T10:00:00Z","profile":"prf_0","user_id":"u<0>","enrollment":"enr_0_0","journey":"c & \"d\"","version":"65"}"#,
            r#"{"kind":"step","id":"dec_0_2","at":"2026-03-01T11:00:00Z","profile":"prf_0","enrollment":"enr_0_0","journey":"cart","step":"hold","went":"timeout","to":"remind"}"#,
            r#"{"kind":"message","id":"dec_0_3","at":"2026-03-01T11:00:00Z","profile":"prf_0","message":"msg_0_0","enrollment":"enr_0_0","journey":"cart","step":"remind","template":"t","channel":"email","email":"a@example.com","outcome":"sent"}"#,
            r#"{"kind":"enrolled","id":"dec_1_1","at":"2026-03-01T10:30:00.5Z","profile":"prf_1","enrollment":"enr_1_0","journey":"cart","version":"65"}"#,
        ];
        let mut steps: Vec<Step> = lines.iter().filter_map(|line| Step::read(line.as_bytes())).collect();
        sort(&mut steps);
        steps
    }

    #[test]
    fn passages_stay_together_in_the_order_of_time() {
        let told: Vec<String> = sample().iter().map(|step| format!("{} {}", step.passage, step.activity())).collect();
        assert_eq!(told, ["enr_0_0 enrolled", "enr_0_0 hold", "enr_0_0 message sent", "enr_1_0 enrolled", "enr_1_0 ended: goal"]);
    }
}
