//! Pages for customers: what they show, and what they write down.

use crate::common::Server;
use reqwest::Method;
use serde_json::{Value, json};

const WORKSPACE: &[(&str, &str)] = &[
    (
        "faden.yaml",
        "workspace: shop\ntitle: The <Shop>\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en, de]\nchannels:\n  - {name: mail, kind: email}\n  - {name: texts, kind: sms}\n",
    ),
    ("policies/global.yaml", "policy: global\nconsent: {service: none, marketing: opt_in, news: double_opt_in}\n"),
];

async fn preferences(server: &Server) -> String {
    preferences_of(server, "user_id:u1").await
}

async fn preferences_of(server: &Server, who: &str) -> String {
    let profile = server.get(&format!("/api/v1/profiles/{who}")).await;
    let url = profile["preferences_url"].as_str().expect("a link").to_owned();
    url[url.find("/p/").expect("it is to the preferences")..].to_owned()
}

/// Purpose, channel and state of every consent.
async fn consents(server: &Server) -> Vec<String> {
    let profile = server.get("/api/v1/profiles/user_id:u1").await;
    let said = |consent: &Value| {
        let text = |name: &str| consent[name].as_str().unwrap_or("*").to_owned();
        format!("{} {} {}", text("purpose"), text("channel"), text("state"))
    };
    profile["consents"].as_array().expect("a list").iter().map(said).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_sees_and_changes_what_is_said_to_him() {
    let server = Server::start(WORKSPACE).await;
    let traits = json!({"email": "ada@example.com", "phone": "+491701234567", "language": "de"});
    let consent = json!({"consent": {"categoryPreferences": {"marketing": true}}});
    server.send(&[json!({"type": "identify", "userId": "u1", "traits": traits, "context": consent})]).await;
    let link = preferences(&server).await;
    let page = server.page(Method::GET, &link, "").await;
    let checked = "value=\"marketing:email\" checked";
    assert!(page.text.contains(checked) && page.text.contains("lang=\"de\"") && page.text.contains("The &lt;Shop&gt;"), "{}", page.text);
    assert!(!page.text.contains("ada@example.com") && !page.text.contains("service:"), "{}", page.text);
    let policy = page.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.starts_with("default-src 'none'") && !page.text.contains("<script"), "{policy}");
    assert_eq!(page.headers["referrer-policy"], "no-referrer");

    let form = "choice=marketing:sms&choice=news:email&preferred_channel=sms&language=en&action=save";
    let saved = server.page(Method::POST, &link, form).await;
    assert_eq!((saved.status, saved.headers["location"].to_str().ok()), (303, Some(format!("{link}?saved=1").as_str())));
    assert_eq!(consents(&server).await, ["marketing * granted", "marketing email withdrawn", "news email pending"]);
    let profile = server.get("/api/v1/profiles/user_id:u1").await;
    assert_eq!((&profile["preferred_channel"], &profile["language"]), (&json!("sms"), &json!("en")));
    let page = server.page(Method::GET, &format!("{link}?saved=1"), "").await;
    assert!(page.text.contains("role=\"status\"") && page.text.contains("waiting for your confirmation"), "{}", page.text);

    assert_eq!(server.page(Method::POST, &link, "action=stop").await.status, 303);
    assert!(consents(&server).await.contains(&"* * withdrawn".to_owned()));
    assert!(!server.page(Method::GET, &link, "").await.text.contains(" checked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_says_when_he_may_be_written_to() {
    let server = Server::start(WORKSPACE).await;
    server.send(&[json!({"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com"}})]).await;
    let link = preferences(&server).await;
    let table = [
        ("contact_from=09:00&contact_to=18:30", json!("09:00-18:30"), ["09:00", "18:30"]),
        // Half a form, as a browser would send it after one field was emptied.
        ("contact_from=10:00&contact_to=", json!("10:00-24:00"), ["10:00", ""]),
        ("contact_from=&contact_to=12:00", json!("00:00-12:00"), ["00:00", "12:00"]),
        ("contact_from=x&contact_to=12:00", json!("00:00-12:00"), ["00:00", "12:00"]),
        ("language=en", json!("00:00-12:00"), ["00:00", "12:00"]),
        ("contact_from=&contact_to=", Value::Null, ["", ""]),
        ("contact_from=22:00&contact_to=06:00", json!("22:00-06:00"), ["22:00", "06:00"]),
        ("contact_from=07:00&contact_to=07:00", Value::Null, ["", ""]),
    ];
    for (form, stored, [from, to]) in table {
        assert_eq!(server.page(Method::POST, &link, &format!("{form}&action=save")).await.status, 303);
        let profile = server.get("/api/v1/profiles/user_id:u1").await;
        assert_eq!(profile["traits"]["contact_times"], stored, "{form}: {}", profile["traits"]);
        let page = server.page(Method::GET, &link, "").await.text;
        for (name, value) in [("contact_from", from), ("contact_to", to)] {
            assert!(page.contains(&format!("id=\"{name}\" name=\"{name}\" value=\"{value}\"")), "{form}: {page}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_says_that_mails_should_be_plain_text() {
    let server = Server::start(WORKSPACE).await;
    server.send(&[json!({"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com"}})]).await;
    let link = preferences(&server).await;
    // Chosen; what the page does not offer changes nothing; taken back.
    let table = [("text_only", json!("text_only"), true), ("large", json!("text_only"), true), ("", json!(null), false)];
    for (chosen, stored, selected) in table {
        assert_eq!(server.page(Method::POST, &link, &format!("accessibility={chosen}&action=save")).await.status, 303);
        let profile = server.get("/api/v1/profiles/user_id:u1").await;
        assert_eq!(profile["traits"]["accessibility"], stored, "{chosen}: {}", profile["traits"]);
        let page = server.page(Method::GET, &link, "").await.text;
        assert_eq!(page.contains("<option value=\"text_only\" selected>plain text "), selected, "{chosen}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_page_cannot_show_stays_as_it_was() {
    let server = Server::start(WORKSPACE).await;
    let link = {
        server.send(&[json!({"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com"}})]).await;
        preferences(&server).await
    };
    for (language, as_shown) in [("fr", ""), ("de-AT", "de")] {
        let traits = json!({"language": language, "preferred_channel": "letter", "accessibility": "large"});
        server.send(&[json!({"type": "identify", "userId": "u1", "traits": traits})]).await;
        let form = format!("language={as_shown}&preferred_channel=&accessibility=&action=save");
        assert_eq!(server.page(Method::POST, &link, &form).await.status, 303);
        let known = &server.get("/api/v1/profiles/user_id:u1").await["traits"];
        assert_eq!(["language", "preferred_channel", "accessibility"].map(|name| &known[name]), [language, "letter", "large"], "{known}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_not_ours_shows_nothing_and_changes_nothing() {
    let server = Server::start(WORKSPACE).await;
    server.send(&[json!({"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com"}})]).await;
    let link = preferences(&server).await;
    // The token of one page is of no use for another, and none can be changed.
    let table =
        [link.replace("/p/", "/u/"), link.replace("/p/", "/c/"), format!("{link}0"), link.replace("prf_", "prf_1"), "/u/x".to_owned()];
    for path in table {
        for method in [Method::GET, Method::POST] {
            let page = server.page(method, &path, "List-Unsubscribe=One-Click").await;
            assert!(page.status == 404 && page.text.contains("This link does not work"), "{path}: {}", page.status);
        }
    }
    assert!(consents(&server).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_somebody_who_was_merged_leads_to_whom_he_is_now() {
    let server = Server::start(WORKSPACE).await;
    server.send(&[json!({"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com", "language": "de"}})]).await;
    server.send(&[json!({"type": "track", "anonymousId": "a1", "event": "Seen"})]).await;
    let old = preferences_of(&server, "anonymous_id:a1").await;
    assert!(!server.page(Method::GET, &old, "").await.text.contains("lang=\"de\""), "nobody knows his language yet");
    server.send(&[json!({"type": "identify", "userId": "u1", "anonymousId": "a1"})]).await;
    assert_eq!(server.get("/api/v1/overview").await["profiles"], 1, "one person");
    let page = server.page(Method::GET, &old, "").await;
    assert!(page.status == 200 && page.text.contains("lang=\"de\""), "{}: {}", page.status, page.text);
    assert_eq!(server.page(Method::POST, &old, "choice=marketing:email&action=save").await.status, 303);
    assert_eq!(consents(&server).await, ["marketing email granted"]);

    let profile = server.get("/api/v1/profiles/user_id:u1").await;
    let undo = format!("/api/v1/merges/{}/undo", profile["merges"][0]["merge"]);
    assert!(server.call(Method::POST, &undo, None).await.0 < 300, "{undo}");
    assert_eq!(server.get("/api/v1/overview").await["profiles"], 2, "two again");
    assert!(!server.page(Method::GET, &old, "").await.text.contains("lang=\"de\""), "two people again, and the link is the visitor's");
}
