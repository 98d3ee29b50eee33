//! Alphabet, parts, receipts and ids, as tables.

use crate::smpp::alphabet;
use crate::smpp::assembly::{Assembly, PATIENCE, Part, Whole};
use crate::smpp::parts::{self, Place, take_header};
use crate::smpp::receipt::{self, DeliveryReceipt};
use crate::smpp::sent::{Fate, OnTheWay, Sent};
use crate::smpp::{address, status};
use crate::{SendError, smpp};
use faden_model::Receipt;
use rusmpp::CommandStatus;
use rusmpp::pdus::DeliverSm;
use rusmpp::tlvs::MessageDeliveryRequestTlvValue as Tlv;
use rusmpp::types::COctetString;
use rusmpp::values::{MessageState, Ton};
use std::str::FromStr;
use std::time::Duration;
use tokio::time::Instant;

#[test]
fn every_character_of_the_alphabet_survives_and_no_other_is_in_it() {
    let mut found = 0;
    for character in (0u32..0x11_0000).filter_map(char::from_u32) {
        let mut septets = Vec::new();
        if alphabet::push_septets(character, &mut septets) {
            found += 1;
            assert!(septets.iter().all(|septet| *septet < 0x80));
            assert_eq!(alphabet::read_septets(&septets), character.to_string());
        }
    }
    assert_eq!(found, 127 + 10);
    assert_eq!(alphabet::read_septets(&[0x1b]), " ");
    assert_eq!(alphabet::read_septets(&[0x1b, 0x1b, 0x41]), " A");
    assert_eq!(alphabet::read_septets(&[0x1b, 0x41]), "A");
}

#[test]
fn a_reply_is_read_by_its_coding() {
    let table: [(u8, &[u8], &str); 10] = [
        (0x00, &[0x00, 0x1b, 0x65], "@€"),
        (0xf1, &[0x5b], "Ä"),
        (0x01, b"[ascii]@_$\r\n", "[ascii]@_$\r\n"),
        (0x01, &[0x1b, 0x65, 0x24], "€¤"),
        (0x01, &[0x00], "@"),
        (0x03, &[0xc4, 0x40], "Ä@"),
        (0x08, &[0x04, 0x16, 0xd8, 0x3d, 0xde, 0x00], "Ж😀"),
        (0x08, &[0xd8, 0x3d], "\u{fffd}"),
        (0x08, &[0x00, 0x41, 0x42], "AB"),
        (0x04, &[0x41], "A"),
    ];
    for (coding, octets, text) in table {
        assert_eq!(alphabet::read(coding, octets), text, "{coding:#x}");
    }
}

#[test]
fn a_text_is_cut_where_a_phone_can_put_it_together() {
    let cases = [
        ("a".repeat(160), 0, vec![160]),
        ("a".repeat(161), 0, vec![159, 14]),
        ("a".repeat(306), 0, vec![159, 159]),
        ("a".repeat(307), 0, vec![159, 159, 7]),
        ("€".repeat(80), 0, vec![160]),
        // An escaped character is not cut: 152 and the next does not fit into 153.
        ("€".repeat(81), 0, vec![158, 16]),
        ("ж".repeat(70), 8, vec![140]),
        ("ж".repeat(71), 8, vec![140, 14]),
        // A pair of surrogates is not cut: 66 code units and the next does not fit into 67.
        ("😀".repeat(36), 8, vec![138, 18]),
        ("a".repeat(1530), 0, vec![159; 10]),
        ("ж".repeat(670), 8, vec![140; 10]),
    ];
    for (text, coding, lengths) in cases {
        let parts = parts::cut(&text, 7).unwrap();
        assert_eq!(parts.data_coding, coding);
        assert_eq!(parts.user_data.iter().map(Vec::len).collect::<Vec<_>>(), lengths);
        let alone = lengths.len() == 1;
        let read: String = parts
            .user_data
            .iter()
            .zip(1u8..)
            .map(|(data, number)| {
                let (place, rest) = if alone { (None, data.as_slice()) } else { take_header(data) };
                let total = u8::try_from(lengths.len()).unwrap();
                assert_eq!(place, (!alone).then_some(Place { reference: 7, total, number }));
                alphabet::read(coding, rest)
            })
            .collect();
        assert_eq!(read, text);
    }
    for too_long in ["a".repeat(1531), "ж".repeat(671)] {
        assert_eq!(parts::cut(&too_long, 7), None);
    }
}

#[test]
fn a_broken_header_is_no_header() {
    let table: [(&[u8], Option<Place>, &[u8]); 9] = [
        (&[5, 0, 3, 9, 2, 1, 65], Some(Place { reference: 9, total: 2, number: 1 }), &[65]),
        (&[6, 8, 4, 1, 2, 3, 3, 65], Some(Place { reference: 258, total: 3, number: 3 }), &[65]),
        (&[9, 4, 2, 0, 0, 0, 3, 9, 2, 2, 65], Some(Place { reference: 9, total: 2, number: 2 }), &[65]),
        (&[5, 0, 3, 9, 2, 0, 65], None, &[65]),
        (&[5, 0, 3, 9, 2, 3, 65], None, &[65]),
        (&[5, 0, 200, 9, 2, 1, 65], None, &[65]),
        (&[200, 0, 3], None, &[200, 0, 3]),
        (&[0, 65], None, &[65]),
        (&[], None, &[]),
    ];
    for (data, place, rest) in table {
        assert_eq!(take_header(data), (place, rest), "{data:?}");
    }
}

fn part(number: u8, total: u8, sequence: u32) -> Part {
    let place = Place { reference: 1, total, number };
    Part { from: "+49170".to_owned(), to: "12345".to_owned(), place, text: format!("{number}"), sequence }
}

#[test]
fn parts_in_any_order_make_a_message_and_what_stays_incomplete_is_not_lost() {
    let start = Instant::now();
    let whole = |text: &str, answers: &[u32]| Whole {
        from: "+49170".to_owned(),
        to: "12345".to_owned(),
        text: text.to_owned(),
        answers: answers.to_vec(),
    };
    let mut assembly = Assembly::default();
    assert_eq!(assembly.add(part(3, 3, 1), start), None);
    assert_eq!(assembly.add(part(1, 3, 2), start), None);
    assert_eq!(assembly.add(part(1, 3, 3), start), None);
    assert_eq!(assembly.add(part(2, 3, 4), start), Some(whole("123", &[1, 2, 3, 4])));
    assert_eq!(assembly.add(part(2, 2, 5), start), None);
    assert_eq!(assembly.answers_due(start + Duration::from_secs(2), Duration::from_secs(3)), Vec::<u32>::new());
    assert_eq!(assembly.answers_due(start + Duration::from_secs(3), Duration::from_secs(3)), vec![5]);
    assert_eq!(assembly.overdue(start + PATIENCE - Duration::from_secs(1)), vec![]);
    assert_eq!(assembly.overdue(start + PATIENCE), vec![whole("2", &[])]);
    assert_eq!(assembly.overdue(start + PATIENCE), vec![]);
    // A flood of beginnings costs no more than the limit: the oldest go first.
    for number in 0..1001u16 {
        let mut one = part(1, 2, 1);
        one.place.reference = number;
        assert_eq!(assembly.add(one, start + Duration::from_millis(u64::from(number))), None);
    }
    assert_eq!(assembly.overdue(start + Duration::from_secs(2)).len(), 1);
    assert_eq!(assembly.overdue(start + Duration::from_secs(2)).len(), 0);
}

#[test]
fn a_receipt_is_read_from_its_text_or_from_its_tlvs() {
    let read = |text: &str, id: Option<&str>, state: Option<MessageState>| {
        let mut pdu = DeliverSm::default();
        if let Some(id) = id {
            pdu.push_tlv(Tlv::ReceiptedMessageId(COctetString::from_str(id).unwrap()));
        }
        if let Some(state) = state {
            pdu.push_tlv(Tlv::MessageState(state));
        }
        receipt::read(&pdu, text)
    };
    let expect = |id: &str, receipt, code: &str| Some(DeliveryReceipt { id: id.to_owned(), receipt, code: Some(code.to_owned()) });
    let (delivered, failed) = (Some(Receipt::Delivered), Some(Receipt::Failed));
    // SMPP 3.4, appendix B.
    let usual = "id:0123456789 sub:001 dlvrd:001 submit date:2603021000 done date:2603021001 stat:DELIVRD err:000 text:Hello stat:UNDELIV";
    assert_eq!(read(usual, None, None), expect("0123456789", delivered, "DELIVRD"));
    let table = [
        ("id:7 stat:UNDELIV err:001 text:", None, None, expect("7", failed, "001")),
        ("id:7 sub:001 stat:EXPIRED", None, None, expect("7", failed, "EXPIRED")),
        ("id:7 stat:REJECTD err:0x0b", None, None, expect("7", failed, "0x0b")),
        ("id:7 stat:DELETED err:", None, None, expect("7", failed, "DELETED")),
        ("ID:7 STAT:delivrd ERR:000", None, None, expect("7", delivered, "DELIVRD")),
        ("id:7 stat:DELI", None, None, expect("7", delivered, "DELIVRD")),
        ("id:7 stat:ACCEPTD err:000", None, None, expect("7", None, "ACCEPTD")),
        ("id:7 stat:ENROUTE", None, None, expect("7", None, "ENROUTE")),
        ("", Some("a9"), Some(MessageState::Delivered), expect("a9", delivered, "DELIVRD")),
        ("", Some("a9"), Some(MessageState::Undeliverable), expect("a9", failed, "UNDELIV")),
        ("id:169 stat:DELIVRD", Some("a9"), None, expect("a9", delivered, "DELIVRD")),
        ("id:7 stat:WHATEVER", None, None, None),
        ("id: stat:DELIVRD", None, None, None),
        ("id:7", None, None, None),
        ("text:id:7 stat:DELIVRD", None, None, None),
        ("id:7 text:is it stat:DELIVRD", None, None, None),
        ("", None, None, None),
        ("Ünïcödé id:7 stat:DELIVRD", None, None, expect("7", delivered, "DELIVRD")),
    ];
    for (text, id, state, expected) in table {
        assert_eq!(read(text, id, state), expected, "{text}");
    }
}

#[test]
fn a_message_is_reported_once_whatever_form_its_ids_have() {
    let told = |fate| match fate {
        Fate::Tell { id, .. } => Some(id),
        Fate::Quiet => None,
    };
    let mut sent = Sent::default();
    let message = OnTheWay::new(2);
    sent.remember("00AF", &message);
    sent.remember("b0", &message);
    assert_eq!(told(sent.fate("175", Receipt::Delivered)), None);
    assert_eq!(told(sent.fate("af", Receipt::Delivered)), None, "the same part again");
    assert_eq!(told(sent.fate("B0", Receipt::Delivered)), Some("00AF".to_owned()));
    assert_eq!(told(sent.fate("b0", Receipt::Delivered)), None);

    let failing = OnTheWay::new(3);
    for id in ["1", "2", "3"] {
        sent.remember(id, &failing);
    }
    assert_eq!(told(sent.fate("1", Receipt::Delivered)), None);
    assert_eq!(told(sent.fate("3", Receipt::Failed)), Some("1".to_owned()));
    assert_eq!(told(sent.fate("2", Receipt::Failed)), None);
    failing.not_told();
    assert_eq!(told(sent.fate("3", Receipt::Failed)), Some("1".to_owned()));

    let given_up = OnTheWay::new(2);
    sent.remember("77", &given_up);
    given_up.silence();
    assert_eq!(told(sent.fate("77", Receipt::Failed)), None);
    assert_eq!(told(sent.fate("unknown-1", Receipt::Delivered)), Some("unknown-1".to_owned()));
}

#[test]
fn addresses_have_their_type() {
    let source = |text: &str| address::source(text).map(|address| (address.ton, address.text));
    assert_eq!(source("+491701234567"), Some((Ton::International, "491701234567".to_owned())));
    assert_eq!(source("12345"), Some((Ton::NetworkSpecific, "12345".to_owned())));
    assert_eq!(source("My Shop 24"), Some((Ton::Alphanumeric, "My Shop 24".to_owned())));
    for bad in ["", "A name that is long", "+", "+49x", "Läden", "+1234567890123456"] {
        assert_eq!(source(bad), None, "{bad}");
    }
    for bad in ["491701234567", "", "+0", "ada@example.com", "+49 170"] {
        assert_eq!(address::destination(bad), None, "{bad}");
    }
    let table = [
        (Ton::International, "491701234567", "+491701234567"),
        (Ton::Unknown, "491701234567", "+491701234567"),
        (Ton::Unknown, "01701234567", "01701234567"),
        (Ton::Unknown, "12345", "12345"),
        (Ton::National, "1701234567", "1701234567"),
        (Ton::Alphanumeric, "Shop", "Shop"),
    ];
    for (ton, text, expected) in table {
        assert_eq!(address::read(ton, text), expected);
    }
}

#[test]
fn a_status_says_what_can_be_done_next() {
    let code = |text: &str| text.to_owned();
    let second = Some(Duration::from_secs(1));
    let table = [
        (0x58, SendError::Throttled { code: code("ESME_RTHROTTLED"), after: second }),
        (0x14, SendError::Throttled { code: code("ESME_RMSGQFUL"), after: second }),
        (0x08, SendError::Later { code: code("ESME_RSYSERR"), after: None }),
        (0x0a, SendError::Refused { code: code("ESME_RINVSRCADR") }),
        (0x101, SendError::Account { code: code("ESME_RPROHIBITED") }),
        (0x0b, SendError::Refused { code: code("ESME_RINVDSTADR") }),
        (0x400, SendError::Refused { code: code("0x00000400") }),
    ];
    for (number, expected) in table {
        assert_eq!(status::submit_error(CommandStatus::from(number)), expected);
    }
    assert_eq!(status::bind_error(CommandStatus::from(0x0e)), SendError::Account { code: code("ESME_RINVPASWD") });
    assert_eq!(status::bind_error(CommandStatus::from(0x05)), SendError::Unavailable { code: code("ESME_RALYBND") });
}

#[test]
fn settings_that_smpp_cannot_carry_are_told() {
    let table = [
        ("{}", None),
        (r#"{"password": "far too long"}"#, Some("password")),
        (r#"{"system_id": "sixteen letters!"}"#, Some("system_id")),
        (r#"{"system_type": "thirteen chars"}"#, Some("system_type")),
        (r#"{"window": 0}"#, Some("window, per_second, enquire_link_seconds, timeout_seconds")),
        (r#"{"per_second": 0}"#, Some("window, per_second, enquire_link_seconds, timeout_seconds")),
    ];
    for (changes, wrong) in table {
        let mut smpp = serde_json::json!({"host": "127.0.0.1", "port": 2775, "system_id": "faden", "password": "secret"});
        let changes: serde_json::Map<String, serde_json::Value> = serde_json::from_str(changes).unwrap();
        smpp.as_object_mut().unwrap().extend(changes);
        let settings: smpp::Settings = serde_json::from_value(serde_json::json!({"kind": "sms", "from": "Shop", "smpp": smpp})).unwrap();
        assert_eq!(settings.check().err().map(|error| error.key), wrong);
        assert!(!format!("{settings:?}").contains("secret"));
    }
}
