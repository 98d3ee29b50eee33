//! Errors in one line for people: what failed, then why, cause by cause.

use std::error::Error;

/// The error, and behind colons what caused it.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    #[test]
    fn causes_follow_in_their_order() {
        let error = Event::parse(r#"{"type": "track", "event": "x", "userId": "u", "timestamp": "soon"}"#, "").expect_err("no time");
        let cause = error.source().expect("a cause").to_string();
        assert_eq!(with_causes(&error), format!("{error}: {cause}"));
    }
}
