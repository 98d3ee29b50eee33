//! Decisions of everybody: the list with its filters, and the news of them.

use crate::common::Server;
use crate::people::{SHOP, track};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn shop() -> Server {
    let server = Server::start(SHOP).await;
    for user in ["u1", "u2", "u3"] {
        server.send(&[track(user, "Cart Updated", &json!({"value": 50})), track(user, "Signed Up", &json!({}))]).await;
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    server.send(&[track("u2", "Order Completed", &json!({}))]).await;
    server
}

/// All pages of a list: who and what, in its order.
async fn lines(server: &Server, query: &str) -> Vec<String> {
    let (mut lines, mut token) = (Vec::new(), String::new());
    for _ in 0..100 {
        let page = server.get(&format!("/api/v1/decisions?{query}{token}")).await;
        let line = |item: &Value| format!("{} {}", item["user_id"].as_str().unwrap_or("-"), item["kind"].as_str().expect("a kind"));
        lines.extend(page["items"].as_array().expect("a list").iter().map(line));
        match page["next_page_token"].as_str() {
            Some(next) => token = format!("&page_token={next}"),
            None => return lines,
        }
    }
    panic!("the list has no end: {lines:?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn everybodys_decisions_come_newest_first_page_by_page_and_by_what_they_are_about() {
    let mut server = shop().await;
    let middle =
        server.get("/api/v1/decisions?profile=user_id:u2&kind=enrolled&limit=1").await["items"][0]["at"].as_str().unwrap().to_owned();
    for round in 0..3 {
        let all = lines(&server, "").await;
        assert_eq!(&all[..2], ["u2 audience", "u2 ended"].map(str::to_owned).iter().rev().cloned().collect::<Vec<_>>(), "{all:?}");
        for limit in [1, 2, 7] {
            assert_eq!(lines(&server, &format!("limit={limit}")).await, all, "pages of {limit} have the same in the same order");
        }
        let table: &[(&str, &[&str])] = &[
            ("kind=enrolled&journey=cart", &["u3 enrolled", "u2 enrolled", "u1 enrolled"]),
            ("kind=ended&outcome=exit", &["u2 ended"]),
            ("kind=ended&journey=none", &[]),
            ("template=hello&outcome=suppressed", &["u3 message", "u2 message", "u1 message"]),
            ("template=hello&outcome=sent", &[]),
            ("profile=user_id:u3&journey=cart", &["u3 enrolled"]),
            ("kind=enrolled&journey=cart&limit=1", &["u3 enrolled", "u2 enrolled", "u1 enrolled"]),
            (&format!("kind=enrolled&journey=cart&to={middle}"), &["u2 enrolled", "u1 enrolled"]),
            (&format!("kind=enrolled&journey=cart&from={middle}"), &["u3 enrolled", "u2 enrolled"]),
            (&format!("kind=enrolled&journey=cart&from={middle}&to={middle}"), &["u2 enrolled"]),
        ];
        for (query, wanted) in table {
            assert_eq!(lines(&server, query).await, *wanted, "{query} in round {round}");
        }
        // First from memory, then from the store, then from both.
        server = server.restart(SHOP).await;
        if round == 1 {
            server.send(&[track("u4", "Seen", &json!({}))]).await;
        }
    }
    for query in ["kind=moon", "outcome=moon", "from=soon", "page_token=x", "limit=0"] {
        let (status, problem) = server.call(Method::GET, &format!("/api/v1/decisions?{query}"), None).await;
        assert_eq!((status, &problem["code"]), (400, &json!("bad-input")), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_are_told_as_they_happen_and_what_is_left_out_is_counted() {
    let server = Server::start(SHOP).await;
    let mut news = server.stream("/api/v1/stream").await;
    // The server looks for listeners ten times a second.
    news.until(|event, _| event == "overview").await;
    let users = 400;
    let calls: Vec<Value> = (0..users).map(|user| track(&format!("u{user}"), "Cart Updated", &json!({"value": 50}))).collect();
    server.send(&calls).await;
    let (mut told, mut left_out) = (BTreeSet::new(), 0);
    news.until(|event, data| {
        match event {
            "decision" => drop(told.insert(data["id"].as_str().unwrap().to_owned())),
            "missed" => left_out += data["decisions"].as_u64().unwrap(),
            _ => {}
        }
        told.len() as u64 + left_out >= users
    })
    .await;
    assert_eq!((told.len() as u64 + left_out, told.len() >= 100, left_out > 0), (users, true, true), "{left_out} were left out");
}
