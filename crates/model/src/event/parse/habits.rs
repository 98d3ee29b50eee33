//! What a reader of a stream of lines remembers of the lines before: senders write alike.

use super::{Call, MEMBERS, Member};
use crate::Text;
use crate::json::scan::{Broken, Scanner};

/// A name with what stands around it, and the member it means, if it is one.
type Name = (Text, Option<Member>);

/// How the lines before were written: of use for a stream of lines, and never more than a guess.
#[derive(Clone, Debug, Default)]
pub struct Habits {
    /// What last stood between a member and the next one's value, by the member before and whether there was one.
    names: [[Option<Name>; 2]; MEMBERS],
    /// A context that says nothing about the customer; empty for none.
    pub(super) context: String,
}

/// Longest text that is remembered between two members: it fits into a [`Text`] itself.
const HABIT_BYTES_MAX: usize = size_of::<Text>();
/// Longest context that is remembered.
const CONTEXT_BYTES_MAX: usize = 4096;

impl Habits {
    /// Moves past the next member's name and its colon.
    pub(super) fn name(&mut self, scanner: &mut Scanner<'_>, before: Option<Member>) -> Result<Option<Member>, Broken> {
        let known = &mut self.names[before.map_or(0, |member| member as usize)][usize::from(before.is_some())];
        if let Some((text, member)) = known
            && scanner.skip(text)
        {
            return Ok(*member);
        }
        let start = *scanner;
        let member = Member::from_name(&scanner.name()?);
        let text = start.until(scanner);
        if text.len() <= HABIT_BYTES_MAX {
            *known = Some((Text::new(text), member));
        }
        Ok(member)
    }

    /// Remembers the context of this call, if it is one like those of all customers.
    pub(super) fn note_context(&mut self, call: &Call<'_>) {
        let says = [Member::ContextTraits, Member::ContextDevice, Member::ContextExternalIds, Member::ContextConsent];
        if let Some(context) = call.raw(Member::Context).filter(|context| context.len() <= CONTEXT_BYTES_MAX)
            && says.into_iter().all(|member| call.raw(member).is_none())
        {
            self.context.clear();
            self.context.push_str(context);
        }
    }
}
