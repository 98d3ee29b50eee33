//! One worker of one account: takes a message, asks, renders, hands over, writes down what came of it.

use super::accounts::{Account, AccountState};
use super::claim::claim;
use super::render::render;
use crate::inbound::address_gone;
use crate::keeper::now;
use crate::state::App;
use faden_channels::{Channel, SendError};
use faden_engine::journey::Clearance;
use faden_model::{Command, MessageId, Receipt, Report, Text};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::Instrument;

/// First pause after a provider could not be used; doubles up to the longest.
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(60);
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
    Done,
    /// Again after a pause; the provider is not to be used meanwhile.
    Again(Duration),
    /// Later, when quiet hours are over; others may go.
    Later(Duration),
}

/// Works for as long as the account is there.
pub async fn run(app: App, account: Arc<Account>, queue: Arc<Mutex<mpsc::UnboundedReceiver<MessageId>>>, pace: Arc<Pace>) {
    let Some(channel) = account.channel.clone() else {
        // Nothing can go out; what is queued stays in the outbox and is read again when the account changes.
        return;
    };
    loop {
        let message = queue.lock().await.recv().await;
        let Some(message) = message.filter(|_| !account.closing.load(Ordering::Relaxed)) else { return };
        account.queued.fetch_sub(1, Ordering::Relaxed);
        account.in_flight.fetch_add(1, Ordering::Relaxed);
        deliver(&app, &account, &*channel, &pace, message).await;
        account.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sees one message through: sent, failed, stopped, or put off.
async fn deliver(app: &App, account: &Account, channel: &dyn Channel, pace: &Pace, message: MessageId) {
    let mut pause = PAUSE_MIN;
    loop {
        pace.wait().await;
        match attempt(app, account, channel, message, &mut pause).await {
            Next::Done => return,
            Next::Again(_) if account.closing.load(Ordering::Relaxed) => return,
            Next::Again(after) => sleep(after).await,
            Next::Later(after) => {
                let (app, kind) = (app.clone(), account.kind.clone());
                tokio::spawn(async move {
                    sleep(after).await;
                    app.channels.queue(&kind, message);
                });
                return;
            }
        }
    }
}

async fn attempt(app: &App, account: &Account, channel: &dyn Channel, message: MessageId, pause: &mut Duration) -> Next {
    let claimed = match app.keeper.look(move |node| claim(node, message, now())).await {
        Ok(Some(claimed)) => claimed,
        // Sent, stopped or failed already.
        Ok(None) => return Next::Done,
        Err(_) => return Next::Again(PAUSE_MIN),
    };
    match &claimed.clearance {
        Clearance::Go => {}
        Clearance::Hold { until } => {
            let wait = u64::try_from(until.0.saturating_sub(now().0)).unwrap_or(0);
            return Next::Later(Duration::from_millis(wait));
        }
        Clearance::Stop { rule } => {
            write(app, Report { code: rule.clone(), withheld: true, ..report(message, Receipt::Failed) }).await;
            return Next::Done;
        }
    }
    let age = u64::try_from(now().0.saturating_sub(claimed.row.at.0)).unwrap_or(0);
    if age > account.limits.deadline_seconds.saturating_mul(1000) {
        account.failed.fetch_add(1, Ordering::Relaxed);
        write(app, Report { code: Text::const_new("deadline"), ..report(message, Receipt::Failed) }).await;
        return Next::Done;
    }
    let outgoing = match render(app, message, &claimed) {
        Ok(outgoing) => outgoing,
        Err(error) => {
            tracing::warn!(%message, template = %claimed.row.template, %error, "a message could not be rendered");
            account.failed.fetch_add(1, Ordering::Relaxed);
            write(app, Report { code: Text::new(error.code()), ..report(message, Receipt::Failed) }).await;
            return Next::Done;
        }
    };
    let span = tracing::debug_span!("send", otel.kind = "client", account = %account.name, channel = %account.kind, template = %claimed.row.template);
    let result = channel.send(&outgoing).instrument(span).await;
    settle(app, account, message, result, pause).await
}

/// Writes down what the provider said, or says when to try again.
async fn settle(
    app: &App,
    account: &Account,
    message: MessageId,
    result: Result<faden_channels::Accepted, SendError>,
    pause: &mut Duration,
) -> Next {
    let error = match result {
        Ok(accepted) => {
            account.set(AccountState::Up, None);
            account.sent.fetch_add(1, Ordering::Relaxed);
            app.live.sent.fetch_add(1, Ordering::Relaxed);
            let provider_id = accepted.provider_id.map(Text::from).unwrap_or_default();
            write(app, Report { provider_id, ..report(message, Receipt::Sent) }).await;
            return Next::Done;
        }
        Err(error) => error,
    };
    match &error {
        SendError::Refused { code } | SendError::AddressGone { code } => {
            // The account works: it was this message that it refused.
            account.set(AccountState::Up, None);
            account.failed.fetch_add(1, Ordering::Relaxed);
            app.live.failed.fetch_add(1, Ordering::Relaxed);
            let address_gone = matches!(error, SendError::AddressGone { .. });
            if address_gone {
                withdraw(app, message, code).await;
            }
            write(app, Report { code: Text::new(code), address_gone, ..report(message, Receipt::Failed) }).await;
            Next::Done
        }
        SendError::Throttled { after, .. } => Next::Again(after.unwrap_or(*pause).min(PAUSE_MAX)),
        SendError::Unavailable { .. } | SendError::Account { .. } => {
            account.set(AccountState::Down, Some(error.to_string()));
            let wait = jittered(*pause);
            *pause = (*pause * 2).min(PAUSE_MAX);
            Next::Again(wait)
        }
    }
}

/// Half to the whole of a pause: workers that failed together do not come back together.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [0];
    // Without random numbers all pauses are of one length, which does no harm.
    let _ = getrandom::fill(&mut byte);
    pause / 2 + pause.mul_f64(f64::from(byte[0]) / 512.0)
}

fn report(message: MessageId, receipt: Receipt) -> Report {
    Report { message, receipt, code: Text::default(), provider_id: Text::default(), withheld: false, address_gone: false }
}

/// Takes an address that takes nothing any more out of use, however long it takes to write that down.
async fn withdraw(app: &App, message: MessageId, code: &str) {
    let gone = loop {
        match address_gone(&app.keeper, message, code).await {
            Ok(gone) => break gone,
            Err(_) => sleep(WRITE_AGAIN).await,
        }
    };
    let Some(event) = gone else { return };
    while app.keeper.record(Command::Event(event.clone())).await.is_err() {
        sleep(WRITE_AGAIN).await;
    }
}

/// Writes a report, however long it takes: a worker that went on without it could send twice after a crash.
async fn write(app: &App, report: Report) {
    while app.keeper.record(Command::Report(report.clone())).await.is_err() {
        sleep(WRITE_AGAIN).await;
    }
}
