//! Laws: whatever a text is, it arrives; whatever comes in, nothing breaks.

use crate::smpp::inbound::Desk;
use crate::smpp::link::{Frame, read};
use crate::smpp::{alphabet, parts};
use crate::{BoxFuture, Inbound, Inbox, NotTaken};
use proptest::prelude::*;
use rusmpp::Pdu;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::bytes::BytesMut;

struct TakesAll;

impl Inbox for TakesAll {
    fn take(&self, _: Inbound) -> BoxFuture<'_, Result<(), NotTaken>> {
        Box::pin(async { Ok(()) })
    }
}

/// Characters of all lengths in septets and code units.
fn any_text() -> impl Strategy<Value = String> {
    let character = prop_oneof![4 => prop::char::range(' ', '~'), 1 => Just('€'), 1 => Just('é'), 1 => any::<char>()];
    prop::collection::vec(character, 0..700).prop_map(String::from_iter)
}

/// The head of a request or an answer that we read, and anything after it.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let id = prop::sample::select(vec![5u32, 4, 0x21, 0x103, 0x8000_0004, 0x8000_0009, 0x8000_0000, 0x15, 6]);
    let body = prop_oneof![prop::collection::vec(any::<u8>(), 0..300), deliver_body()];
    (id, any::<u32>(), any::<u32>(), body)
        .prop_map(|(id, status, sequence, body)| [&id.to_be_bytes()[..], &status.to_be_bytes(), &sequence.to_be_bytes(), &body].concat())
}

/// `deliver_sm` with sound fixed fields, any text, and any TLVs.
fn deliver_body() -> impl Strategy<Value = Vec<u8>> {
    (any::<[u8; 3]>(), prop::collection::vec(any::<u8>(), 0..255), prop::collection::vec(any::<u8>(), 0..60)).prop_map(
        |([esm_class, data_coding, ton], text, tlvs)| {
            let length = u8::try_from(text.len()).unwrap();
            let start = [0, ton, 1, b'4', b'9', 0, 3, 0, b'1', 0, esm_class, 0, 0, 0, 0, 0, 0, data_coding, 0, length];
            [&start[..], &text, &tlvs].concat()
        },
    )
}

proptest! {
    #[test]
    fn a_text_that_is_cut_is_whole_again_when_it_was_read(text in any_text(), reference in any::<u8>()) {
        if let Some(cut) = parts::cut(&text, reference) {
            prop_assert!(cut.user_data.iter().all(|part| part.len() <= 160));
            let alone = cut.user_data.len() == 1;
            let read = cut.user_data.iter().map(|part| {
                let rest = if alone { part } else { parts::take_header(part).1 };
                alphabet::read(cut.data_coding, rest)
            });
            prop_assert_eq!(String::from_iter(read), text);
        }
    }

    #[test]
    fn whatever_comes_in_is_answered_or_kept(frame in any_frame()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let _inside = runtime.enter();
        let mut desk = Desk::new(Arc::new(TakesAll));
        if let Ok(Frame::Command(command)) = read(BytesMut::from(&frame[..]))
            && let Some(Pdu::DeliverSm(pdu)) = command.pdu()
        {
            let answered = desk.deliver(command.sequence_number(), pdu).is_some();
            let waiting = desk.tick(Instant::now() + Duration::from_secs(10)).sequences;
            prop_assert!(answered || !desk.takes.is_empty() || waiting == [command.sequence_number()]);
        }
    }
}
