//! `deliver_sm`: receipts and replies. Each is answered only after the inbox has it.

use super::address;
use super::alphabet;
use super::assembly::{Assembly, Part, Whole};
use super::parts::{Place, take_header};
use super::receipt;
use super::sent::{Fate, OnTheWay, Sent};
use crate::{Inbound, Inbox, Received, Reference, Report};
use rusmpp::pdus::DeliverSm;
use rusmpp::tlvs::TlvValue;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::warn;

/// How many things the inbox is given at the same time; more stay with the provider.
const MAX_TAKES: usize = 64;

/// How long the answer for a part waits for the other parts.
const HOLD: Duration = Duration::from_secs(3);

const MESSAGE_TYPE: u8 = 0x3c;
const RECEIPT: u8 = 0x04;
const WITH_HEADER: u8 = 0x40;

/// These requests of the provider can be answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    /// On which connection they came; numbers mean nothing on another one.
    pub connection: u64,
    pub sequences: Vec<u32>,
    pub good: bool,
}

/// Where inbound things lie until they are taken; outlives connections.
pub struct Desk {
    inbox: Arc<dyn Inbox>,
    assembly: Assembly,
    pub sent: Sent,
    /// Go on without a connection: what was begun is finished.
    pub takes: JoinSet<Taken>,
    connection: u64,
}

impl Desk {
    pub fn new(inbox: Arc<dyn Inbox>) -> Desk {
        Desk { inbox, assembly: Assembly::default(), sent: Sent::default(), takes: JoinSet::new(), connection: 0 }
    }

    pub fn has_room(&self) -> bool {
        self.takes.len() < MAX_TAKES
    }

    /// The answer if there is nothing to take.
    pub fn deliver(&mut self, sequence: u32, pdu: &DeliverSm) -> Option<Taken> {
        let kind = u8::from(pdu.esm_class);
        match kind & MESSAGE_TYPE {
            RECEIPT => self.receipt(sequence, pdu),
            0 => self.reply(sequence, pdu, kind & WITH_HEADER != 0),
            // Acknowledgements by phones and notifications on the way say nothing that a receipt does not say.
            _ => Some(self.nothing_to_take(vec![sequence])),
        }
    }

    pub fn nothing_to_take(&self, sequences: Vec<u32>) -> Taken {
        Taken { connection: self.connection, sequences, good: true }
    }

    /// Whether the provider still waits for these answers.
    pub fn is_waited_for(&self, taken: &Taken) -> bool {
        taken.connection == self.connection
    }

    fn receipt(&mut self, sequence: u32, pdu: &DeliverSm) -> Option<Taken> {
        let nothing = Some(self.nothing_to_take(vec![sequence]));
        let text = alphabet::read(u8::from(pdu.data_coding), octets(pdu));
        let Some(read) = receipt::read(pdu, &text) else {
            warn!("SMPP: a receipt names no message or no state");
            return nothing;
        };
        let Some(receipt) = read.receipt else { return nothing };
        match self.sent.fate(&read.id, receipt) {
            Fate::Quiet => nothing,
            Fate::Tell { id, message } => {
                let report = Report { about: Reference::Provider(id), receipt, code: read.code, address_gone: false, at: None };
                self.take(Inbound::Report(report), vec![sequence], message);
                None
            }
        }
    }

    fn reply(&mut self, sequence: u32, pdu: &DeliverSm, with_header: bool) -> Option<Taken> {
        let (place, octets) = if with_header { take_header(octets(pdu)) } else { (None, octets(pdu)) };
        let text = alphabet::read(u8::from(pdu.data_coding), octets);
        let from = address::read(pdu.source_addr_ton, pdu.source_addr.as_str());
        let to = address::read(pdu.dest_addr_ton, pdu.destination_addr.as_str());
        let whole = match place.or_else(|| place_by_tlvs(pdu)).filter(|place| place.total > 1) {
            Some(place) => self.assembly.add(Part { from, to, place, text, sequence }, Instant::now())?,
            None => Whole { from, to, text, answers: vec![sequence] },
        };
        self.take_reply(whole);
        None
    }

    /// What has waited long enough; gives the requests whose answer must not wait longer.
    pub fn tick(&mut self, now: Instant) -> Taken {
        for whole in self.assembly.overdue(now) {
            self.take_reply(whole);
        }
        let sequences = self.assembly.answers_due(now, HOLD);
        self.nothing_to_take(sequences)
    }

    /// The provider repeats what was not answered.
    pub fn connection_ended(&mut self) {
        self.assembly.forget_answers();
        self.connection += 1;
    }

    fn take_reply(&mut self, whole: Whole) {
        let received = Received {
            provider_id: fingerprint(&whole),
            from: whole.from,
            to: whole.to,
            subject: None,
            text: whole.text,
            answers: Vec::new(),
            at: None,
        };
        self.take(Inbound::Message(received), whole.answers, None);
    }

    fn take(&mut self, inbound: Inbound, sequences: Vec<u32>, message: Option<OnTheWay>) {
        let (inbox, connection) = (self.inbox.clone(), self.connection);
        self.takes.spawn(async move {
            let good = inbox.take(inbound).await.is_ok();
            if let (false, Some(message)) = (good, message) {
                message.not_told();
            }
            Taken { connection, sequences, good }
        });
    }
}

fn octets(pdu: &DeliverSm) -> &[u8] {
    let payload = pdu.tlvs().iter().find_map(|tlv| match tlv.value() {
        Some(TlvValue::MessagePayload(payload)) => Some(payload.value.as_ref()),
        _ => None,
    });
    payload.unwrap_or(pdu.short_message().as_ref())
}

fn place_by_tlvs(pdu: &DeliverSm) -> Option<Place> {
    let (mut reference, mut total, mut number) = (None, None, None);
    for tlv in pdu.tlvs() {
        match tlv.value() {
            Some(TlvValue::SarMsgRefNum(value)) => reference = Some(*value),
            Some(TlvValue::SarTotalSegments(value)) => total = Some(*value),
            Some(TlvValue::SarSegmentSeqnum(value)) => number = Some(*value),
            _ => {}
        }
    }
    Some(Place { reference: reference?, total: total?, number: number? }).filter(|place| place.is_sound())
}

/// SMPP gives replies no id: this one is made of what was said and when it came, so that the same words said again
/// are another message.
fn fingerprint(whole: &Whole) -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let content = format!("{}\0{}\0{}\0{}\0{:?}", whole.from, whole.to, whole.text, since.as_nanos(), whole.answers);
    let digest = ring::digest::digest(&ring::digest::SHA256, content.as_bytes());
    digest.as_ref().iter().take(16).fold("smpp-".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
