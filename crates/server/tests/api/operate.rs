//! Running the server: sources, dead letters, channel accounts, audit, keys.

use crate::common::Server;
use reqwest::Method;
use serde_json::{Value, json};

const WORKSPACE: &[(&str, &str)] = &[(
    "faden.yaml",
    "workspace: shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en]\nsources:\n  - {name: web, write_key: {env: FADEN_TEST_NOT_SET}}\nchannels:\n  - {name: hook, kind: webhook, webhook: {url: \"https://example.com\", secret: {env: FADEN_TEST_NOT_SET}}}\n",
)];

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_shown_with_what_it_sends() {
    let server = Server::start(WORKSPACE).await;
    let call = |properties: Value| json!({"type": "track", "userId": "u1", "event": "Cart Updated", "properties": properties});
    server.send(&[call(json!({"value": 5})), call(json!({"value": 5.5, "cart_id": "c1"}))]).await;
    let sources = server.get("/api/v1/sources").await;
    let items = sources["items"].as_array().expect("a list");
    assert_eq!((items.len(), &items[0]["source"], &items[1]["source"]), (2, &json!("source"), &json!("web")));
    assert_eq!((&items[1]["declared"], &items[1]["last_at"]), (&json!(true), &Value::Null));
    let minutes = items[0]["events_per_minute"].as_array().expect("a list");
    assert_eq!((minutes.len(), minutes.iter().filter_map(Value::as_u64).sum::<u64>()), (60, 2));
    let properties = json!([
        {"name": "cart_id", "types": ["text"], "share": 0.5},
        {"name": "value", "types": ["number"], "share": 1.0},
    ]);
    assert_eq!(items[0]["kinds"][0]["properties"], properties, "{sources}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_sent_again_and_thrown_away() {
    let server = Server::start(WORKSPACE).await;
    let (retry, remove) = (Method::POST, Method::DELETE);
    for call in [json!({"event": "No person"}), json!({"userId": "u1"}), json!({"userId": "u1", "event": "faden.consent.changed"})] {
        let (status, _) = server.call_with(&server.write_key, Method::POST, "/v1/track", Some(call), &[]).await;
        assert_eq!(status, 400);
    }
    let first = server.get("/api/v1/dead_letters?limit=2").await;
    let codes = |page: &Value| -> Vec<String> {
        page["items"].as_array().expect("a list").iter().map(|letter| letter["code"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(codes(&first), ["event-reserved-name", "event-no-name"]);
    let token = first["next_page_token"].as_str().expect("there is more");
    assert_eq!(codes(&server.get(&format!("/api/v1/dead_letters?page_token={token}")).await), ["event-nobody"]);
    let table = [
        (retry.clone(), "/api/v1/dead_letters/1/retry", 200, json!("event-nobody")),
        (retry.clone(), "/api/v1/dead_letters/99/retry", 404, json!("not-found")),
        (retry, "/api/v1/dead_letters/x/retry", 400, json!("bad-input")),
        (remove.clone(), "/api/v1/dead_letters/2", 204, Value::Null),
        (remove, "/api/v1/dead_letters/2", 404, json!("not-found")),
    ];
    for (method, path, status, code) in table {
        let (answered, body) = server.call(method, path, None).await;
        assert_eq!((answered, &body["code"]), (status, &code), "{path}: {body}");
    }
    let left = server.get("/api/v1/dead_letters").await;
    assert_eq!(codes(&left), ["event-reserved-name", "event-nobody"], "what is refused again is no new letter");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_at_the_guard_needs_a_person_also_after_a_restart() {
    let files = [WORKSPACE, &[("identity.yaml", "guard: 3\n")]].concat();
    let mut server = Server::start(&files).await;
    // One number that many people share.
    for user in 0..4 {
        let call = json!({"type": "identify", "anonymousId": format!("kiosk-{user}"), "traits": {"phone": "+4915112345678"}});
        server.send(&[call]).await;
    }
    for _ in 0..2 {
        let overview = server.get("/api/v1/overview").await;
        let of = |item: &&Value| item["kind"] == "identity_guarded";
        let found = overview["attention"].as_array().unwrap().iter().find(of).expect("a profile at the guard");
        assert_eq!(found["wording"], json!({"code": "identity_guarded", "values": {"times": 2}}));
        let subject = found["subject"].as_str().unwrap();
        assert_eq!(found["href"], format!("/people/{subject}?tab=identity"));
        assert_eq!(server.get(&format!("/api/v1/profiles/{subject}")).await["identifiers"].as_array().unwrap().len(), 3);
        server = server.restart(&files).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_say_what_they_lack_and_tests_say_what_went_wrong() {
    let server = Server::start(WORKSPACE).await;
    let channels = server.get("/api/v1/channels").await;
    let account = &channels["items"][0];
    assert_eq!((&account["name"], &account["kind"], &account["state"]), (&json!("hook"), &json!("webhook"), &json!("unconfigured")));
    assert_eq!(account["last_error"], "the environment variable FADEN_TEST_NOT_SET is not set");
    let missing = json!({"code": "secret_missing", "values": {"names": "FADEN_TEST_NOT_SET"}});
    assert_eq!(account["last_error_wording"], missing);
    assert_eq!(server.get("/api/v1/overview").await["attention"][0]["wording"], missing);
    let test = |account: &str| Some(json!({"channel_account": account, "to": "x", "text": "hello"}));
    let (status, tested) = server.call(Method::POST, "/api/v1/messages/test", test("hook")).await;
    assert_eq!((status, &tested["accepted"], &tested["code"]), (200, &json!(false), &json!("unconfigured")));
    assert_eq!(tested["wording"], json!({"code": "account_not_set_up", "values": {}}));
    assert_eq!(server.call(Method::POST, "/api/v1/messages/test", test("none")).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_hold_until_they_are_removed_and_everything_is_in_the_audit_log() {
    let server = Server::start(WORKSPACE).await;
    let (status, made) = server.call(Method::POST, "/api/v1/keys", Some(json!({"name": "ci", "role": "designer"}))).await;
    assert_eq!(status, 201, "{made}");
    let (key, id) = (made["key"].as_str().expect("a key"), made["id"].as_str().expect("an id"));
    let me = async |key: &str| server.call_with(key, Method::GET, "/api/v1/me", None, &[]).await;
    assert_eq!(me(key).await.1["role"], "designer");
    let table = [
        (json!({"name": "", "role": "source"}), 400),
        (json!({"name": "x", "role": "king"}), 400),
        (json!({"name": "x", "role": "source", "scopes": ["admin"]}), 400),
        (json!({"name": "x", "role": "analyst", "scopes": ["workspace_read"]}), 201),
    ];
    for (body, status) in table {
        assert_eq!(server.call(Method::POST, "/api/v1/keys", Some(body.clone())).await.0, status, "{body}");
    }
    let listed = server.get("/api/v1/keys").await;
    let names: Vec<&str> = listed["items"].as_array().expect("a list").iter().filter_map(|key| key["name"].as_str()).collect();
    assert_eq!((names.len(), listed.to_string().contains(key)), (4, false), "secrets are never listed");
    assert_eq!(server.call(Method::DELETE, &format!("/api/v1/keys/{id}"), None).await.0, 204);
    assert_eq!(server.call(Method::DELETE, &format!("/api/v1/keys/{id}"), None).await.0, 404);
    assert_eq!(me(key).await.0, 401);
    let audit = server.get("/api/v1/audit?limit=2").await;
    assert_eq!(
        (&audit["intact"], &audit["items"][0]["action"], &audit["items"][0]["subject"]),
        (&json!(true), &json!("key.removed"), &json!("ci"))
    );
    assert!(audit["next_page_token"].is_string(), "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_signs_in_once() {
    let server = Server::start(WORKSPACE).await;
    let (status, made) = server.call(Method::POST, "/api/v1/login_links", Some(json!({"role": "analyst"}))).await;
    assert_eq!(status, 201, "{made}");
    let url = made["url"].as_str().expect("a link");
    let path = &url[url.find("/login").expect("it is to the login")..];
    assert_eq!(server.call_with("", Method::GET, path, None, &[]).await.0, 303);
    assert_eq!(server.call_with("", Method::GET, path, None, &[]).await.0, 401);
}
