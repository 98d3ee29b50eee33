//! One worker of one account: takes a message, asks, renders, hands over, writes down what came of it.

use super::accounts::{Account, jittered};
use super::claim::{Claim, claim};
use super::render::render;
use super::session;
use crate::inbound::address_gone;
use crate::keeper::now;
use crate::state::App;
use faden_channels::{Channel, SendError};
use faden_engine::journey::Clearance;
use faden_model::{Command, MessageId, Receipt, Report, Text};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::Instrument;

/// First pause of a message that its provider did not take for now; doubles up to the longest.
const LATER_MIN: Duration = Duration::from_secs(1);
const LATER_MAX: Duration = Duration::from_secs(15 * 60);
/// No provider's wish to try a message later is heeded for longer.
const LATER_ASKED_MAX: Duration = Duration::from_secs(3600);
/// A message that may have been taken is sent again after so long, and so often at most: each time can be a repeat.
const UNANSWERED_PAUSE: Duration = Duration::from_secs(5 * 60);
const UNANSWERED_MAX: u32 = 3;
/// Code of a text that came too long after the customer wrote last.
const OUTSIDE_SESSION: &str = "session_window";
/// While the node is being opened again.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// Between attempts to write down what came of a message: until then nothing else is sent.
const WRITE_AGAIN: Duration = Duration::from_millis(200);

/// The account's own speed limit, over all its workers.
pub struct Pace {
    gap: Option<Duration>,
    next: Mutex<Instant>,
}

impl Pace {
    pub fn new(per_second: Option<u32>) -> Pace {
        let gap = per_second.filter(|rate| *rate > 0).map(|rate| Duration::from_secs(1) / rate);
        Pace { gap, next: Mutex::new(Instant::now()) }
    }

    async fn wait(&self) {
        let Some(gap) = self.gap else { return };
        let mut next = self.next.lock().await;
        sleep_until(*next).await;
        *next = Instant::now().max(*next) + gap;
    }
}

/// What to do with a message next.
enum Next {
    /// It is sent, failed or stopped, and that is written down.
    Done,
    /// Again, by whoever is free.
    Again,
    /// Again after a pause of its own; others may go.
    Later(Duration),
}

/// Works for as long as the account is published.
pub async fn run(app: App, account: Arc<Account>, pace: Arc<Pace>) {
    let Some(channel) = account.channel.clone() else {
        // Nothing can go out; what is queued moves on when another account takes this one's place.
        return;
    };
    loop {
        let next = async {
            account.rested().await;
            account.waiting.lock().await.recv().await
        };
        let message = tokio::select! {
            biased;
            () = account.closing.cancelled() => return,
            message = next => message,
        };
        let Some(message) = message else { return };
        account.queued.fetch_sub(1, Ordering::Relaxed);
        account.in_flight.fetch_add(1, Ordering::Relaxed);
        let next = tokio::select! {
            biased;
            () = account.closing.cancelled() => Next::Again,
            () = pace.wait() => attempt(&app, &account, &*channel, message).await,
        };
        match next {
            Next::Done => app.channels.let_go(message),
            Next::Again => {
                app.channels.place(&account.kind, message);
                app.channels.hand_on(&account);
            }
            Next::Later(after) => put_off(&app, &account.kind, message, after),
        }
        account.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

fn put_off(app: &App, kind: &str, message: MessageId, after: Duration) {
    let (app, kind) = (app.clone(), kind.to_owned());
    tokio::spawn(async move {
        sleep(after).await;
        app.channels.place(&kind, message);
    });
}

/// A message that may go out at this instant, or what becomes of it instead.
async fn cleared(app: &App, account: &Account, message: MessageId) -> Result<(Claim, Duration), Next> {
    let claimed = match app.keeper.look(move |node| claim(node, message, now())).await {
        Ok(Some(claimed)) => claimed,
        // Sent, stopped or failed already.
        Ok(None) => return Err(Next::Done),
        Err(_) => return Err(Next::Later(ASK_AGAIN)),
    };
    match &claimed.clearance {
        Clearance::Go => {}
        Clearance::Hold { until } => {
            let wait = u64::try_from(until.0.saturating_sub(now().0)).unwrap_or(0);
            return Err(Next::Later(Duration::from_millis(wait)));
        }
        Clearance::Stop { rule } => {
            write(app, Command::Report(Report { code: rule.clone(), withheld: true, ..report(message, Receipt::Failed) })).await;
            return Err(Next::Done);
        }
    }
    let age = Duration::from_millis(u64::try_from(now().0.saturating_sub(claimed.row.at.0)).unwrap_or(0));
    let left = Duration::from_secs(account.limits.deadline_seconds).saturating_sub(age);
    if left.is_zero() {
        account.failed.fetch_add(1, Ordering::Relaxed);
        write(app, of(account, Report { code: Text::const_new("deadline"), ..report(message, Receipt::Failed) })).await;
        return Err(Next::Done);
    }
    Ok((claimed, left))
}

/// Sees one message through: sent, failed, stopped, or put off.
async fn attempt(app: &App, account: &Account, channel: &dyn Channel, message: MessageId) -> Next {
    let (claimed, left) = match cleared(app, account, message).await {
        Ok(cleared) => cleared,
        Err(next) => return next,
    };
    let outgoing = match render(app, message, &claimed) {
        Ok(outgoing) => outgoing,
        Err(error) => {
            tracing::warn!(%message, template = %claimed.row.template, %error, "a message could not be rendered");
            account.failed.fetch_add(1, Ordering::Relaxed);
            write(app, Command::Report(Report { code: Text::new(error.code()), ..report(message, Receipt::Failed) })).await;
            return Next::Done;
        }
    };
    if let Some(session) = channel.session(&outgoing.content) {
        match session::is_open(app, &account.name, message, session).await {
            Ok(true) => {}
            Ok(false) => return fail(app, account, message, OUTSIDE_SESSION, false).await,
            Err(_) => return Next::Later(ASK_AGAIN),
        }
        // That took a moment, in which he may have written STOP.
        if let Err(next) = cleared(app, account, message).await {
            return next;
        }
    }
    let span = tracing::debug_span!("send", otel.kind = "client", account = %account.name, channel = %account.kind, template = %claimed.row.template);
    let result = channel.send(&outgoing).instrument(span).await;
    match settle(app, account, message, result).await {
        Next::Later(after) => Next::Later(after.min(left)),
        next => next,
    }
}

/// Writes down what the provider said, or says when to try again.
async fn settle(app: &App, account: &Account, message: MessageId, result: Result<faden_channels::Accepted, SendError>) -> Next {
    let error = match result {
        Ok(accepted) => {
            account.up();
            account.sent.fetch_add(1, Ordering::Relaxed);
            app.live.sent.fetch_add(1, Ordering::Relaxed);
            let provider_id = accepted.provider_id.map(|id| account.own_name(&id)).unwrap_or_default();
            write(app, of(account, Report { provider_id, ..report(message, Receipt::Sent) })).await;
            return Next::Done;
        }
        Err(error) => error,
    };
    match &error {
        SendError::Refused { code } | SendError::AddressGone { code } => {
            // The account works: it was this message that it refused.
            account.up();
            let address_gone = matches!(error, SendError::AddressGone { .. });
            if address_gone {
                withdraw(app, &account.name, message, code).await;
            }
            fail(app, account, message, code, address_gone).await
        }
        SendError::Later { code, after } => {
            account.later(code);
            let tries = app.channels.tried(message, |tries| tries.failed += 1);
            let own = jittered(LATER_MIN.saturating_mul(1 << (tries.failed - 1).min(16)).min(LATER_MAX));
            Next::Later(after.map_or(own, |after| after.min(LATER_ASKED_MAX)))
        }
        SendError::Throttled { code, after } => {
            account.slow(code, *after);
            Next::Again
        }
        SendError::Unavailable { .. } | SendError::Account { .. } => {
            account.down((&error).into());
            Next::Again
        }
        SendError::NoAnswer { code } => {
            account.down((&error).into());
            let tries = app.channels.tried(message, |tries| {
                tries.unanswered += 1;
                tries.with = Some(account.name.clone());
            });
            if tries.unanswered < UNANSWERED_MAX {
                tracing::warn!(%message, account = %account.name, code, "a message may have been taken, will send it again");
                return Next::Later(UNANSWERED_PAUSE);
            }
            fail(app, account, message, code, false).await
        }
    }
}

async fn fail(app: &App, account: &Account, message: MessageId, code: &str, address_gone: bool) -> Next {
    account.failed.fetch_add(1, Ordering::Relaxed);
    app.live.failed.fetch_add(1, Ordering::Relaxed);
    write(app, of(account, Report { code: Text::new(code), address_gone, ..report(message, Receipt::Failed) })).await;
    Next::Done
}

fn report(message: MessageId, receipt: Receipt) -> Report {
    Report { message, receipt, code: Text::default(), provider_id: Text::default(), withheld: false, address_gone: false }
}

/// What a provider of this account said.
fn of(account: &Account, report: Report) -> Command<'static> {
    Command::ReportOf { account: Text::new(&account.name), report }
}

/// Takes an address that takes nothing any more out of use, however long it takes to write that down.
async fn withdraw(app: &App, account: &str, message: MessageId, code: &str) {
    let gone = loop {
        match address_gone(&app.keeper, message, code).await {
            Ok(gone) => break gone,
            Err(_) => sleep(WRITE_AGAIN).await,
        }
    };
    let Some(event) = gone else { return };
    while app.keeper.record(Command::told(account, event.clone())).await.is_err() {
        sleep(WRITE_AGAIN).await;
    }
}

/// Writes a report, however long it takes: a worker that went on without it could send twice after a crash.
async fn write(app: &App, report: Command<'static>) {
    while app.keeper.record(report.clone()).await.is_err() {
        sleep(WRITE_AGAIN).await;
    }
}
