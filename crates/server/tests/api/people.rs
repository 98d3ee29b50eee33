//! Finding people, and everything that is known of one of them.

use crate::common::Server;
use reqwest::Method;
use serde_json::{Value, json};

/// A small shop: one audience, one journey that waits, consent for marketing.
pub const SHOP: &[(&str, &str)] = &[
    (
        "faden.yaml",
        "workspace: shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en]\nchannels:\n  - {name: mail, kind: webhook, url: \"http://127.0.0.1:9/in\"}\n",
    ),
    ("policies/global.yaml", "policy: global\nconsent: {marketing: opt_in, service: none}\n"),
    (
        "audiences/buyers.yaml",
        "audience: buyers\ntitle: Has bought\ntraits:\n  orders: {count: Order Completed}\nwhere: traits.orders >= 1\n",
    ),
    (
        "journeys/cart.yaml",
        "journey: cart\ntitle: Cart recovery\npurpose: marketing\nentry: {event: Cart Updated, where: event.properties.value >= 20.0, reentry: always}\nexit:\n  - event: Order Completed\nsteps:\n  - id: hold\n    wait: {event: Never, timeout: 30d}\n    next: {matched: end, timeout: end}\n",
    ),
    (
        "journeys/hello.yaml",
        "journey: hello\ntitle: Hello\npurpose: marketing\nentry: {event: Signed Up}\nsteps:\n  - id: gold\n    branch:\n      - {when: profile.traits.plan == \"gold\", to: greet}\n      - {otherwise: greet}\n  - id: greet\n    send: {template: hello, channels: [webhook]}\n",
    ),
    ("templates/hello/webhook.en.jinja", "{\"text\": \"hello\"}\n"),
];

pub fn track(user: &str, event: &str, properties: &Value) -> Value {
    json!({"type": "track", "userId": user, "event": event, "properties": properties})
}

fn ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().expect("a list").iter().map(|item| item["id"].as_str().expect("an id")).collect()
}

/// Ada (two devices), Bob M\u{fc}ller, and Cy without a name.
async fn people() -> Server {
    let server = Server::start(SHOP).await;
    let calls = [
        json!({"type": "identify", "userId": "ada-1", "anonymousId": "a-0001", "traits": {"email": "Ada@Example.com", "name": "Ada Lovelace", "city": "London", "plan": "gold"}}),
        json!({"type": "identify", "userId": "bob-2", "traits": {"email": "bob.mueller@example.com", "first_name": "Bob", "last_name": "M\u{fc}ller", "phone": "+4915112345678"}}),
        json!({"type": "track", "userId": "cy-3", "event": "Seen"}),
        track("ada-1", "Cart Updated", &json!({"value": 50})),
        track("ada-1", "Order Completed", &json!({"value": 50, "order_id": "o-77"})),
        json!({"type": "track", "userId": "bob-2", "event": "Cart Updated", "properties": {"value": 25}, "context": {"consent": {"categoryPreferences": {"marketing": true}}}}),
    ];
    // One by one: what came at one instant is told with its decisions before its events.
    for call in calls {
        server.send(&[call]).await;
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_found_by_the_beginning_of_what_they_are_called_before_and_after_a_checkpoint() {
    let mut server = people().await;
    let table: &[(&str, &str)] = &[
        ("ada", "ada-1"),
        ("Ada@example.com", "ada-1"),
        ("LOVE", "ada-1"),
        ("ada love", "ada-1"),
        ("love london", "ada-1"),
        ("a-0001", "ada-1"),
        ("a-00", ""),
        ("m\u{fc}l", "bob-2"),
        ("mueller", "bob-2"),
        ("0151 12345678", "bob-2"),
        ("015112345678", "bob-2"),
        ("+49151", "bob-2"),
        ("user_id:cy-3", "cy-3"),
        ("cy", "cy-3"),
        ("ada bob", ""),
        ("zzz", ""),
        ("", "cy-3 bob-2 ada-1"),
    ];
    for round in ["before", "after"] {
        for (q, wanted) in table {
            let query = q.replace(' ', "%20").replace('+', "%2B");
            let found = server.get(&format!("/api/v1/profiles?q={query}")).await;
            let users = |item: &Value| {
                let identifiers = item["identifiers"].as_array().expect("identifiers").clone();
                identifiers.iter().find(|one| one["kind"] == "user_id").expect("a user id")["value"].as_str().expect("text").to_owned()
            };
            let found: Vec<String> = found["items"].as_array().expect("a list").iter().map(users).collect();
            assert_eq!(found.join(" "), *wanted, "{round}: {q}");
        }
        server = server.restart(SHOP).await;
    }
    server.send(&[json!({"type": "identify", "userId": "ada-1", "traits": {"name": "Ada King"}})]).await;
    assert_eq!(ids(&server.get("/api/v1/profiles?q=lovelace").await).len(), 0, "a name that went finds nobody");
    assert_eq!(ids(&server.get("/api/v1/profiles?q=king").await).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_known_of_a_person_is_there_by_id_and_by_identifier() {
    let server = people().await;
    let ada = server.get("/api/v1/profiles/email:ADA@example.com").await;
    let id = ada["id"].as_str().expect("an id");
    assert_eq!(server.get(&format!("/api/v1/profiles/{id}")).await, ada);
    assert_eq!(
        (&ada["name"], &ada["traits"]["plan"], &ada["computed_traits"]["orders"]),
        (&json!("Ada Lovelace"), &json!("gold"), &json!(1))
    );
    assert_eq!(ada["audiences"][0]["title"], "Has bought");
    let passage = &ada["enrollments"][0];
    assert_eq!((&passage["journey"], &passage["state"], &passage["outcome"]), (&json!("cart"), &json!("ended"), &json!("exit")));
    assert!(ada["preferences_url"].as_str().expect("an address").contains("/p/prf_"));
    let bob = server.get("/api/v1/profiles/bob-2".replace("bob-2", "user_id:bob-2").as_str()).await;
    assert_eq!((&bob["enrollments"][0]["step"], &bob["enrollments"][0]["waiting_for"]), (&json!("hold"), &json!("the event Never")));
    assert_eq!((&bob["consents"][0]["purpose"], &bob["consents"][0]["state"]), (&json!("marketing"), &json!("granted")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeline_is_one_life_page_by_page_newest_first() {
    let mut server = people().await;
    let kinds = |page: &Value| -> Vec<String> {
        page["items"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|item| format!("{}:{}", item["kind"].as_str().unwrap(), item["title"].as_str().unwrap()))
            .collect()
    };
    let whole = ["journey:cart", "audience:buyers", "event:Order Completed", "journey:cart", "event:Cart Updated", "event:Identify"];
    for _ in 0..2 {
        let mut pages = Vec::new();
        let mut token = String::new();
        loop {
            let page = server.get(&format!("/api/v1/profiles/user_id:ada-1/timeline?limit=2&page_token={token}")).await;
            pages.extend(kinds(&page));
            let Some(next) = page["next_page_token"].as_str() else { break };
            next.clone_into(&mut token);
        }
        // Decisions of one instant stand before the event that led to them, the last one first.
        assert_eq!(pages, whole);
        let table = [
            ("kinds=event", "event:Order Completed event:Cart Updated event:Identify"),
            ("kinds=audience,journey", "journey:cart audience:buyers journey:cart"),
            ("kinds=message", ""),
            ("q=o-77", "event:Order Completed"),
            ("q=ENTERED%20CART", "journey:cart"),
        ];
        for (query, wanted) in table {
            let page = server.get(&format!("/api/v1/profiles/user_id:ada-1/timeline?{query}")).await;
            assert_eq!(kinds(&page).join(" "), wanted, "{query}");
        }
        server = server.restart(SHOP).await;
    }
    let page = server.get("/api/v1/profiles/user_id:ada-1/timeline?kinds=event&limit=1").await;
    assert_eq!(page["items"][0]["data"]["properties"], json!({"value": 50, "order_id": "o-77"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_explained_from_the_event_on_with_values_and_rules() {
    let mut server = people().await;
    server.send(&[track("ada-1", "Signed Up", &json!({}))]).await;
    for _ in 0..2 {
        let page = server.get("/api/v1/profiles/user_id:ada-1/timeline?kinds=message").await;
        let message = page["items"][0]["ref"].as_str().expect("a message").to_owned();
        let why = server.get(&format!("/api/v1/decisions/{message}")).await;
        assert_eq!((&why["subject"], &why["person"]), (&json!("hello: suppressed by consent.marketing.opt_in"), &json!("ada-1")));
        let kinds: Vec<&str> = why["chain"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["enrolled", "step", "message"]);
        assert_eq!(
            why["chain"][1]["facts"],
            json!([{"name": "profile.traits.plan", "value": "gold"}, {"name": "profile.traits.plan == \"gold\"", "value": true}])
        );
        let stopped = why["chain"][2]["checks"].as_array().unwrap().iter().find(|check| check["outcome"] == "stopped");
        assert_eq!(stopped.unwrap()["rule"], "consent.marketing.opt_in");
        assert!(why["chain"][0]["sentence"].as_str().unwrap().starts_with("entered hello, by the event Signed Up"));
        let decisions = server.get("/api/v1/decisions?profile=user_id:ada-1&limit=2").await;
        assert_eq!(decisions["items"][0]["kind"], "ended");
        assert!(decisions["next_page_token"].is_string());
        server = server.restart(SHOP).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_noted_once_however_often_it_is_sent() {
    let server = people().await;
    let path = "/api/v1/profiles/user_id:cy-3/consents";
    let body = json!({"purpose": "marketing", "channel": "email", "granted": true, "note": "on the phone"});
    let (key, once) = (server.key.as_str(), [("idempotency-key", "k1")]);
    let (status, first) = server.call_with(key, Method::POST, path, Some(body.clone()), &once).await;
    let (_, again) = server.call_with(key, Method::POST, path, Some(body), &once).await;
    assert_eq!((status, &first), (202, &again));
    let events = server.get("/api/v1/profiles/user_id:cy-3/timeline?kinds=event,consent").await;
    let titles: Vec<&str> = events["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["marketing", "faden.consent.changed", "Seen"]);
    let cy = server.get("/api/v1/profiles/user_id:cy-3").await;
    assert_eq!((&cy["consents"][0]["channel"], &cy["consents"][0]["proof"]), (&json!("email"), &first["message_id"]));
    let table = [
        (json!({"purpose": " ", "granted": true}), 400, "bad-input"),
        (json!({"purpose": "marketing"}), 400, "bad-input"),
        (json!({"purpose": "marketing", "granted": true, "chanel": "email"}), 400, "bad-input"),
    ];
    for (body, status, code) in table {
        let (answered, problem) = server.call(Method::POST, path, Some(body.clone())).await;
        assert_eq!((answered, problem["code"].as_str()), (status, Some(code)), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_is_followed_shown_and_taken_back() {
    let mut server = people().await;
    let cy = server.get("/api/v1/profiles/user_id:cy-3").await["id"].as_str().unwrap().to_owned();
    server.send(&[json!({"type": "track", "anonymousId": "phone-9", "event": "Seen"})]).await;
    let device = server.get("/api/v1/profiles/anonymous_id:phone-9").await["id"].as_str().unwrap().to_owned();
    server.send(&[json!({"type": "identify", "userId": "cy-3", "anonymousId": "phone-9", "traits": {"name": "Cy Young"}})]).await;
    let one = server.get(&format!("/api/v1/profiles/{device}")).await;
    assert_eq!(one["id"], json!(cy), "the id that was merged away leads to who has it now");
    assert_eq!((&one["merges"][0]["loser"], &one["merges"][0]["undone"]), (&json!(device), &json!(false)));
    server = server.restart(SHOP).await;
    let merge = one["merges"][0]["merge"].as_u64().unwrap();
    let (status, _) = server.call(Method::POST, &format!("/api/v1/merges/{merge}/undo"), None).await;
    assert_eq!(status, 202);
    assert_eq!(server.get(&format!("/api/v1/profiles/{device}")).await["id"], json!(device));
    let table =
        [(merge.to_string(), 409, "unmerge-already-undone"), ("99".to_owned(), 404, "not-found"), ("x".to_owned(), 404, "not-found")];
    for (merge, status, code) in table {
        let (answered, problem) = server.call(Method::POST, &format!("/api/v1/merges/{merge}/undo"), None).await;
        assert_eq!((answered, problem["code"].as_str()), (status, Some(code)), "{merge}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_wrongly_is_told_so() {
    let server = people().await;
    let long = "x".repeat(300);
    let table = [
        ("/api/v1/profiles/prf_zzzz".to_owned(), 404, "not-found"),
        ("/api/v1/profiles/prf_!".to_owned(), 404, "not-found"),
        ("/api/v1/profiles/nobody".to_owned(), 404, "not-found"),
        ("/api/v1/profiles/email:nobody@example.com".to_owned(), 404, "not-found"),
        ("/api/v1/profiles/prf_zzzz/timeline".to_owned(), 404, "not-found"),
        ("/api/v1/profiles/user_id:ada-1/timeline?kinds=event,dreams".to_owned(), 400, "bad-input"),
        ("/api/v1/profiles/user_id:ada-1/timeline?page_token=abc".to_owned(), 400, "bad-input"),
        ("/api/v1/profiles?page_token=%21".to_owned(), 400, "bad-input"),
        ("/api/v1/profiles?limit=0".to_owned(), 400, "bad-input"),
        ("/api/v1/profiles?limit=501".to_owned(), 400, "bad-input"),
        ("/api/v1/profiles?limit=many".to_owned(), 400, "bad-input"),
        (format!("/api/v1/profiles?q={long}"), 400, "bad-input"),
        ("/api/v1/decisions/dec_0_99".to_owned(), 404, "not-found"),
        ("/api/v1/decisions/msg_".to_owned(), 404, "not-found"),
        ("/api/v1/decisions/prf_0".to_owned(), 404, "not-found"),
    ];
    for (path, status, code) in table {
        let (answered, problem) = server.call(Method::GET, &path, None).await;
        assert_eq!((answered, problem["code"].as_str()), (status, Some(code)), "{path}: {problem}");
    }
}

/// A source's key, and what it sends, one call after the other.
async fn tell(server: &Server, source: &str, calls: &[Value]) {
    let (_, made) = server.call(Method::POST, "/api/v1/keys", Some(json!({"name": source, "role": "source"}))).await;
    let key = made["key"].as_str().expect("a key").to_owned();
    for call in calls {
        let (status, body) = server.call_with(&key, Method::POST, "/v1/batch", Some(json!({"batch": [call]})), &[]).await;
        assert_eq!((status, &body["accepted"]), (200, &json!(1)), "{body}");
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_known_says_which_source_told_it_first() {
    let server = Server::start(SHOP).await;
    let seen = |number: usize| json!({"type": "track", "userId": "ada-1", "event": "Seen", "properties": {"number": number}});
    tell(&server, "web", &[json!({"type": "page", "anonymousId": "a-0001", "name": "Start"})]).await;
    tell(&server, "crm", &[json!({"type": "identify", "userId": "ada-1", "traits": {"email": "ada@example.com"}})]).await;
    tell(&server, "till", &(0..90).map(seen).collect::<Vec<_>>()).await;
    // Known already but for the number; and what was somebody else until now becomes hers.
    tell(
        &server,
        "app",
        &[json!({"type": "identify", "userId": "ada-1", "traits": {"email": "ada@example.com", "phone": "+4915112345678"}})],
    )
    .await;
    tell(&server, "till", &(90..99).map(seen).collect::<Vec<_>>()).await;
    tell(&server, "app", &[json!({"type": "identify", "userId": "ada-1", "anonymousId": "a-0001"})]).await;
    let told = async |server: &Server| {
        let person = server.get("/api/v1/profiles/user_id:ada-1").await;
        let identifiers = person["identifiers"].as_array().expect("a list").clone();
        let mut told: Vec<String> = identifiers.iter().map(|one| format!("{}: {}", one["kind"], one["source"]).replace('"', "")).collect();
        told.sort();
        told.join(", ")
    };
    let expected = "anonymous_id: web, email: crm, phone: app, user_id: crm";
    assert_eq!(told(&server).await, expected);
    let events = server.get("/api/v1/profiles/user_id:ada-1/timeline?kinds=event&limit=200").await;
    let sources: Vec<&str> =
        events["items"].as_array().expect("a list").iter().map(|event| event["source"].as_str().expect("known")).collect();
    let runs: Vec<String> = sources.chunk_by(|one, next| one == next).map(|run| format!("{} {}", run.len(), run[0])).collect();
    assert_eq!(runs, ["1 app", "9 till", "1 app", "90 till", "1 crm", "1 web"]);
    let server = server.restart(SHOP).await;
    assert_eq!(told(&server).await, expected);
}
