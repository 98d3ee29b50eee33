//! The life of a connection: what is to be sent goes out within window and rate, what comes in is answered after it
//! was taken, silence is broken by `enquire_link`, and when it ends another one is opened after a pause.

use super::inbound::{Desk, Taken};
use super::link::{ANSWER_LIMIT, Frame, Link, lost};
use super::sent::OnTheWay;
use super::settings::Connection;
use super::status;
use crate::SendError;
use rusmpp::pdus::{DeliverSmResp, SubmitSm};
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout_at};
use tokio_rustls::TlsConnector;
use tracing::{info, warn};

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_millis(100);

/// Something for the provider, and who waits for its answer (the message's id there).
pub struct Job {
    pub what: What,
    pub answer: oneshot::Sender<Result<String, SendError>>,
}

pub enum What {
    Submit {
        pdu: Box<SubmitSm>,
        message: OnTheWay,
    },
    /// Only ask whether it is there.
    Check,
}

/// Runs until nobody can give it work any more.
pub async fn supervise(settings: Connection, tls: Option<TlsConnector>, mut desk: Desk, mut jobs: mpsc::Receiver<Job>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let since = Instant::now();
        let why = match Link::open(&settings, tls.as_ref()).await {
            Ok(link) => {
                info!(host = settings.host, "SMPP: signed in");
                match Session::new(link, &settings).run(&mut jobs, &mut desk).await {
                    Ok(()) => return,
                    Err(why) => why,
                }
            }
            Err(why) => why,
        };
        warn!(host = settings.host, %why, "SMPP: not connected, will try again");
        if since.elapsed() > LONGEST_PAUSE {
            pause = FIRST_PAUSE;
        }
        if !refuse_for(pause, &why, &mut jobs).await {
            return;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Nothing waits for a provider that is down. `false` when nobody can give work any more.
async fn refuse_for(pause: Duration, why: &SendError, jobs: &mut mpsc::Receiver<Job>) -> bool {
    let until = Instant::now() + pause;
    while let Ok(job) = timeout_at(until, jobs.recv()).await {
        let Some(job) = job else { return false };
        let _ = job.answer.send(Err(why.clone()));
    }
    true
}

/// A request of ours without its answer.
struct Asked {
    until: Instant,
    submit: Option<OnTheWay>,
    answer: Option<oneshot::Sender<Result<String, SendError>>>,
}

struct Session<'a> {
    link: Link,
    settings: &'a Connection,
    asked: HashMap<u32, Asked>,
    next_submit: Instant,
    heard: Instant,
}

enum Event {
    Frame(Result<Frame, SendError>),
    /// `None` when the inbox broke down over it: then it is not answered and comes again.
    Taken(Option<Taken>),
    Job(Option<Job>),
    Slot,
    Tick,
}

impl Session<'_> {
    fn new(link: Link, settings: &Connection) -> Session<'_> {
        let now = Instant::now();
        Session { link, settings, asked: HashMap::new(), next_submit: now, heard: now }
    }

    /// Ends well when nobody can give work any more.
    async fn run(mut self, jobs: &mut mpsc::Receiver<Job>, desk: &mut Desk) -> Result<(), SendError> {
        let outcome = self.work(jobs, desk).await;
        desk.connection_ended();
        let why = outcome.as_ref().err().cloned().unwrap_or_else(|| lost("closed"));
        for asked in self.asked.into_values() {
            let why = if asked.submit.is_some() { unanswered(why.clone()) } else { why.clone() };
            asked.answer.map(|answer| answer.send(Err(why)));
        }
        outcome
    }

    async fn work(&mut self, jobs: &mut mpsc::Receiver<Job>, desk: &mut Desk) -> Result<(), SendError> {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let room = self.asked.len() < self.settings.window;
            let slot = self.next_submit <= Instant::now();
            let event = tokio::select! {
                frame = self.link.next(), if desk.has_room() => Event::Frame(frame),
                Some(taken) = desk.takes.join_next() => Event::Taken(taken.ok()),
                job = jobs.recv(), if room && slot => Event::Job(job),
                () = sleep_until(self.next_submit), if room && !slot => Event::Slot,
                _ = tick.tick() => Event::Tick,
            };
            match event {
                Event::Frame(frame) => self.frame(frame?, desk).await?,
                Event::Taken(Some(taken)) if desk.is_waited_for(&taken) => self.taken(taken).await?,
                Event::Taken(_) | Event::Slot => {}
                Event::Job(Some(job)) => self.job(job).await?,
                Event::Job(None) => return self.link.ask(Pdu::Unbind).await.map(|_| ()),
                Event::Tick => self.tick(desk).await?,
            }
        }
    }

    async fn job(&mut self, job: Job) -> Result<(), SendError> {
        if job.answer.is_closed() {
            return Ok(());
        }
        let now = Instant::now();
        let asked = |submit| Asked { until: now + ANSWER_LIMIT, submit, answer: Some(job.answer) };
        let (pdu, asked) = match job.what {
            What::Check => (Pdu::EnquireLink, asked(None)),
            What::Submit { pdu, message } => {
                let gap = self.settings.per_second.map_or(Duration::ZERO, |number| Duration::from_secs(1) / number);
                self.next_submit = self.next_submit.max(now.checked_sub(gap).unwrap_or(now)) + gap;
                (Pdu::SubmitSm(*pdu), asked(Some(message)))
            }
        };
        match self.link.ask(pdu).await {
            Ok(sequence) => {
                self.asked.insert(sequence, asked);
                Ok(())
            }
            Err(why) => {
                asked.answer.map(|answer| answer.send(Err(why.clone())));
                Err(why)
            }
        }
    }

    async fn frame(&mut self, frame: Frame, desk: &mut Desk) -> Result<(), SendError> {
        self.heard = Instant::now();
        let command = match frame {
            Frame::Command(command) => command,
            Frame::Unreadable { answer: true, sequence, status } => {
                self.answered(sequence, CommandStatus::from(status), None, desk);
                return Ok(());
            }
            Frame::Unreadable { answer: false, sequence, .. } => {
                warn!("SMPP: a request could not be read");
                return self.link.answer(sequence, CommandStatus::EsmeRinvcmdlen, Pdu::GenericNack).await;
            }
        };
        let (sequence, status) = (command.sequence_number(), command.status());
        match (command.id(), command.pdu()) {
            (CommandId::DeliverSm, Some(Pdu::DeliverSm(pdu))) => match desk.deliver(sequence, pdu) {
                Some(answer) => self.taken(answer).await,
                None => Ok(()),
            },
            (CommandId::EnquireLink, _) => self.link.answer(sequence, CommandStatus::EsmeRok, Pdu::EnquireLinkResp).await,
            (CommandId::Unbind, _) => {
                self.link.answer(sequence, CommandStatus::EsmeRok, Pdu::UnbindResp).await?;
                Err(lost("unbound"))
            }
            (CommandId::Outbind | CommandId::AlertNotification, _) => Ok(()),
            (id, pdu) if is_answer(id) => {
                let id = submit_id(&command, pdu);
                self.answered(sequence, status, id, desk);
                Ok(())
            }
            _ => self.link.answer(sequence, CommandStatus::EsmeRinvcmdid, Pdu::GenericNack).await,
        }
    }

    fn answered(&mut self, sequence: u32, status: CommandStatus, id: Option<String>, desk: &mut Desk) {
        let Some(asked) = self.asked.remove(&sequence) else { return };
        let outcome = match asked.submit {
            Some(_) if status != CommandStatus::EsmeRok => Err(status::submit_error(status)),
            Some(message) => {
                let id = id.unwrap_or_default();
                if !id.is_empty() {
                    desk.sent.remember(&id, &message);
                }
                Ok(id)
            }
            None => Ok(String::new()),
        };
        if matches!(outcome, Err(SendError::Throttled { .. })) {
            self.next_submit = Instant::now() + status::PAUSE;
        }
        asked.answer.map(|answer| answer.send(outcome));
    }

    /// Answers `deliver_sm`.
    async fn taken(&mut self, taken: Taken) -> Result<(), SendError> {
        let status = if taken.good { CommandStatus::EsmeRok } else { CommandStatus::EsmeRxTAppn };
        for sequence in taken.sequences {
            self.link.answer(sequence, status, DeliverSmResp::default()).await?;
        }
        Ok(())
    }

    async fn tick(&mut self, desk: &mut Desk) -> Result<(), SendError> {
        let now = Instant::now();
        let late: Vec<u32> = self.asked.iter().filter(|(_, asked)| now >= asked.until).map(|(sequence, _)| *sequence).collect();
        for sequence in late {
            let Some(asked) = self.asked.remove(&sequence) else { continue };
            if asked.submit.is_none() {
                asked.answer.map(|answer| answer.send(Err(lost("timeout"))));
                return Err(lost("timeout"));
            }
            asked.answer.map(|answer| answer.send(Err(unanswered(lost("timeout")))));
        }
        self.taken(desk.tick(now)).await?;
        let enquiring = self.asked.values().any(|asked| asked.submit.is_none());
        if !enquiring && now >= self.heard + Duration::from_secs(self.settings.enquire_link_seconds) {
            let sequence = self.link.ask(Pdu::EnquireLink).await?;
            self.asked.insert(sequence, Asked { until: now + ANSWER_LIMIT, submit: None, answer: None });
        }
        Ok(())
    }
}

/// The provider has the message, and may have taken it.
pub fn unanswered(why: SendError) -> SendError {
    match why {
        SendError::Unavailable { code } => SendError::NoAnswer { code },
        other => other,
    }
}

fn is_answer(id: CommandId) -> bool {
    u32::from(id) & 0x8000_0000 != 0
}

fn submit_id(command: &Command, pdu: Option<&Pdu>) -> Option<String> {
    match (command.id(), pdu) {
        (CommandId::SubmitSmResp, Some(Pdu::SubmitSmResp(answer))) => Some(answer.message_id().as_str().to_owned()),
        _ => None,
    }
}
