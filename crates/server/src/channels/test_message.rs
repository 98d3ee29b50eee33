//! A text that somebody sends to himself to see that an account works: past journeys and policies, not kept.

use super::accounts::Account;
use crate::keeper::now;
use crate::said::{Code, Said, code_of};
use faden_channels::{Content, Email, Outgoing};
use faden_engine::decision::NOBODY;
use faden_model::MessageId;
use faden_model::id::Born;

/// Hands a text to the account's provider.
///
/// # Errors
/// The provider's code, and what went wrong for people.
pub async fn send_test(account: &Account, to: &str, text: &str) -> Result<(), (String, Said)> {
    let Some(channel) = &account.channel else {
        let reason = "the account is not set up; `GET /api/v1/channels` says what is missing".to_owned();
        return Err(("unconfigured".to_owned(), Said::new(Code::AccountNotSetUp, [], reason)));
    };
    let content = match account.kind.as_str() {
        "email" => Content::Email(Email { subject: "Test".to_owned(), text: text.to_owned(), ..Email::default() }),
        "push" | "web_push" => Content::Push { title: "Test".to_owned(), body: text.to_owned(), url: None },
        "webhook" => Content::Webhook { event: "test".to_owned(), at: now(), data: serde_json::json!({ "text": text }).to_string() },
        _ => Content::Text(text.to_owned()),
    };
    let mut count = [0; 4];
    getrandom::fill(&mut count).expect("the system has random numbers");
    // A message of nobody's: receipts for it find no row.
    let message = MessageId(Born { under: NOBODY, count: u32::from_le_bytes(count) });
    let sent = channel.send(&Outgoing { message, to: to.to_owned(), content }).await;
    sent.map(drop).map_err(|error| (code_of(&error).to_owned(), (&error).into()))
}
