//! What those who look on are told beside the decisions: how passages move from step to step, whose words
//! changed, who is in which audience since when.
//!
//! Kept only where somebody asks for it ([`crate::Output::track`]); it decides nothing, and nothing that
//! decides reads it.

use crate::journey::{JourneyVersion, Target, Token};
use crate::turn::Turn;
use faden_model::{EnrollmentId, ProfileId, Text, Timestamp};
use serde::{Deserialize, Serialize};

/// A place on the map of one journey version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Place {
    /// Where a passage begins.
    Entry,
    Step(u16),
    /// The end of a branch of the `parallel` step with this index.
    Join(u16),
    /// The end of the journey.
    End,
    /// Not on this map: left by an exit, a goal or a migration; or come by a migration.
    Out,
}

/// One passage went from one place to the next. `Entry` to `End` or `Out` says that the passage as a whole
/// has ended or left this version, `Out` to `Entry` that it came to this version, `Entry` to `Entry` that it
/// reached its goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    pub at: Timestamp,
    pub enrollment: EnrollmentId,
    pub journey: u64,
    pub version: u64,
    pub from: Place,
    pub to: Place,
    /// The condition, arm or outcome it went by; empty where there is one way only. Of a passage as a whole how it ended.
    pub went: Text,
}

/// A profile is in an audience since an instant, or no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub audience: u64,
    pub profile: ProfileId,
    pub at: Timestamp,
    pub since: Option<Timestamp>,
}

/// Everything since it was last taken, in the order in which it happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Track {
    pub moves: Vec<Move>,
    /// Profiles of which an identifier or a trait is new.
    pub learned: Vec<ProfileId>,
    pub members: Vec<Member>,
}

impl From<Target> for Place {
    fn from(target: Target) -> Place {
        match target {
            Target::Step(step) => Place::Step(step),
            Target::Join(parallel) => Place::Join(parallel),
            Target::End => Place::End,
        }
    }
}

impl Turn<'_> {
    pub(crate) fn moved(&mut self, enrollment: EnrollmentId, version: &JourneyVersion, from: Place, to: Place, went: &str) {
        let at = self.at;
        if let Some(track) = &mut self.out.track {
            let (journey, version) = (version.key, version.version);
            track.moves.push(Move { at, enrollment, journey, version, from, to, went: Text::new(went) });
        }
    }

    /// These places are left without going on from them.
    pub(crate) fn dropped(&mut self, enrollment: EnrollmentId, version: &JourneyVersion, tokens: &[Token]) {
        for token in tokens {
            self.moved(enrollment, version, Place::Step(token.step), Place::Out, "");
        }
    }

    pub(crate) fn learned_of(&mut self) {
        let profile = self.profile.id;
        if let Some(track) = &mut self.out.track
            && track.learned.last() != Some(&profile)
        {
            track.learned.push(profile);
        }
    }

    pub(crate) fn member(&mut self, audience: u64, since: Option<Timestamp>) {
        let (profile, at) = (self.profile.id, self.at);
        if let Some(track) = &mut self.out.track {
            track.members.push(Member { audience, profile, at, since });
        }
    }
}
