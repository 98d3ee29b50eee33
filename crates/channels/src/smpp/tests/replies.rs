//! Receipts and replies from a real message centre.

use super::centre::{World, message};
use crate::{Channel, Inbound, Received, Reference, Report};
use faden_model::Receipt;
use serde_json::{Value, json};

fn report(id: &str, receipt: Receipt, code: &str) -> Inbound {
    let about = Reference::Provider(id.to_owned());
    Inbound::Report(Report { about, receipt, code: Some(code.to_owned()), address_gone: false, at: None })
}

fn receipt(text: &str) -> Value {
    json!({"do": "deliver", "pdu": {"source_addr": "491701234567", "destination_addr": "Shop", "esm_class": 4, "short_message": {"message": text}}})
}

async fn answer(world: &mut World) -> u64 {
    world.centre.hear("deliver_answer").await["status"].as_u64().unwrap()
}

#[tokio::test]
async fn a_receipt_is_reported_under_the_id_of_the_answer_and_answered_after_it_was_taken() {
    let mut world = World::new(json!({})).await;
    let sent = world.account.send(&message(1, "Hello")).await.unwrap().provider_id.unwrap();
    assert_eq!(sent, "a0");
    // The centre answered in hexadecimal and writes receipts in decimal, as many do.
    world.refuse_next();
    let text = "id:0000000160 sub:001 dlvrd:001 submit date:2603021000 done date:2603021001 stat:DELIVRD err:000 text:Hello";
    world.centre.tell(receipt(text)).await;
    assert_eq!(answer(&mut world).await, 0x64, "not taken: come again");
    world.centre.tell(receipt(text)).await;
    assert_eq!(world.took().await, report("a0", Receipt::Delivered, "DELIVRD"));
    assert_eq!(answer(&mut world).await, 0);
    // Again, on the way, unreadable: answered, and nothing is told.
    for text in [text, "id:a0 stat:ENROUTE", "what?"] {
        world.centre.tell(receipt(text)).await;
        assert_eq!(answer(&mut world).await, 0);
    }
    let by_tlvs =
        json!({"esm_class": 4, "receipted_message_id": "from before", "message_state": 5, "network_error_code": {"hex": "030009"}});
    world.centre.tell(json!({"do": "deliver", "pdu": by_tlvs})).await;
    assert_eq!(world.took().await, report("from before", Receipt::Failed, "9"));
    assert!(world.inbox.try_recv().is_err());
}

#[tokio::test]
async fn a_message_of_several_parts_is_reported_once() {
    let mut world = World::new(json!({})).await;
    let long = "a".repeat(400);
    assert_eq!(world.account.send(&message(1, &long)).await.unwrap().provider_id.as_deref(), Some("a0"));
    for id in ["a1", "a0", "a2", "a2"] {
        world.centre.tell(receipt(&format!("id:{id} stat:DELIVRD err:000"))).await;
        assert_eq!(answer(&mut world).await, 0);
    }
    assert_eq!(world.took().await, report("a0", Receipt::Delivered, "DELIVRD"));
    assert_eq!(world.account.send(&message(2, &long)).await.unwrap().provider_id.as_deref(), Some("a3"));
    for (id, state) in [("a3", "DELIVRD"), ("a5", "UNDELIV"), ("a4", "EXPIRED")] {
        world.centre.tell(receipt(&format!("id:{id} stat:{state} err:027"))).await;
        assert_eq!(answer(&mut world).await, 0);
    }
    assert_eq!(world.took().await, report("a3", Receipt::Failed, "027"));
    assert!(world.inbox.try_recv().is_err());
    // A part that was refused takes the whole message with it.
    world.centre.tell(json!({"do": "answer", "statuses": [0, 0x45, 0]})).await;
    assert!(world.account.send(&message(3, &long)).await.is_err());
    world.centre.tell(receipt("id:a6 stat:UNDELIV err:001")).await;
    assert_eq!(answer(&mut world).await, 0);
    assert!(world.inbox.try_recv().is_err());
}

fn said(inbound: Inbound) -> (String, String, String) {
    match inbound {
        Inbound::Message(Received { from, to, text, .. }) => (from, to, text),
        other => panic!("{other:?}"),
    }
}

fn reply(more: Value) -> Value {
    let mut pdu =
        json!({"source_addr": "491701234567", "source_addr_ton": 1, "source_addr_npi": 1, "destination_addr": "12345", "dest_addr_ton": 3});
    pdu.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"do": "deliver", "pdu": pdu})
}

#[tokio::test]
async fn a_reply_is_read_in_every_coding() {
    let mut world = World::new(json!({})).await;
    let table = [
        (json!({"short_message": "Stop it, €!"}), "Stop it, €!"),
        (json!({"short_message": {"hex": "005b1b65"}}), "@Ä€"),
        (json!({"data_coding": 3, "short_message": {"hex": "c4e9"}}), "Äé"),
        (json!({"data_coding": 8, "short_message": "Стоп 😀"}), "Стоп 😀"),
        (json!({"data_coding": 8, "message_payload": "По другому пути"}), "По другому пути"),
    ];
    for (pdu, text) in table {
        world.centre.tell(reply(pdu)).await;
        assert_eq!(said(world.took().await), ("+491701234567".to_owned(), "12345".to_owned(), text.to_owned()));
        assert_eq!(answer(&mut world).await, 0);
    }
    world.refuse_next();
    world.centre.tell(reply(json!({"short_message": "again"}))).await;
    assert_eq!(answer(&mut world).await, 0x64);
}

#[tokio::test]
async fn a_reply_in_parts_is_answered_when_it_was_taken_as_a_whole() {
    let mut world = World::new(json!({})).await;
    let by_header = |number: u8, text: &str| {
        reply(json!({"esm_class": 0x40, "short_message": {"udh": {"hex": format!("0500030902{number:02x}")}, "message": text}}))
    };
    world.centre.tell(by_header(2, "world")).await;
    world.refuse_next();
    world.centre.tell(by_header(1, "Hello ")).await;
    assert_eq!((answer(&mut world).await, answer(&mut world).await), (0x64, 0x64));
    world.centre.tell(by_header(1, "Hello ")).await;
    world.centre.tell(by_header(2, "world")).await;
    assert_eq!(said(world.took().await).2, "Hello world");
    assert_eq!((answer(&mut world).await, answer(&mut world).await), (0, 0));

    // A centre that sends one at a time gets its answer before the whole is there.
    let by_tlvs = |number: u8, text: &str| {
        reply(json!({"sar_msg_ref_num": 5, "sar_total_segments": 2, "sar_segment_seqnum": number, "short_message": text}))
    };
    world.centre.tell(by_tlvs(1, "one ")).await;
    assert_eq!(answer(&mut world).await, 0);
    world.centre.tell(by_tlvs(2, "two")).await;
    assert_eq!(said(world.took().await).2, "one two");
    assert_eq!(answer(&mut world).await, 0);
}
