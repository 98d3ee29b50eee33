//! Who follows a link of a message is recognised by its token, and greeted with what the message was about.

use crate::common::mail_server::{MailServer, Mood};
use crate::common::{Server, wait_until};
use reqwest::Method;
use serde_json::{Value, json};

const JOURNEY: &str = "journey: hello\npurpose: service\nentry: {event: Ping, reentry: always}\nsteps:\n  - id: greet\n    send: {template: hello, channels: [email]}\n";
const TEMPLATE: &str = "---\nsubject: Hello\n---\nToken={{ customer_token }}\nLink={{ preferences_url }}\n";

/// What stands behind `name=` in a mail, whose lines may be cut (quoted-printable).
fn word(mail: &str, name: &str) -> String {
    let text = mail.replace("=\n", "").replace("=3D", "=");
    let start = text.find(&format!("{name}=")).unwrap_or_else(|| panic!("no {name} in {text}")) + name.len() + 1;
    text[start..].split_whitespace().next().unwrap_or_default().to_owned()
}

async fn ask(server: &Server, question: Value) -> Value {
    let (status, answer) = server.call(Method::POST, "/api/v1/decide", Some(question.clone())).await;
    assert_eq!(status, 200, "{question}: {answer}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_a_link_is_recognised_and_his_browser_with_him() {
    let mail = MailServer::start(Mood::Well).await;
    let settings = format!(
        "workspace: shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en]\nchannels:\n  - name: mail\n    kind: email\n    from: shop@shop.example\n    smtp: {{host: 127.0.0.1, port: {}, tls: none}}\n",
        mail.address.port()
    );
    let files = [
        ("faden.yaml", settings.as_str()),
        ("policies/global.yaml", "policy: global\nconsent: {service: none}\n"),
        ("journeys/hello.yaml", JOURNEY),
        ("templates/hello/email.en.jinja", TEMPLATE),
    ];
    let server = Server::start(&files).await;
    let traits = json!({"email": "ada@example.com", "name": "Ada"});
    server
        .send(&[json!({"type": "identify", "userId": "u1", "traits": traits}), json!({"type": "track", "userId": "u1", "event": "Ping"})])
        .await;
    wait_until("the mail is out", || async { mail.mails().len() == 1 }).await;
    let text = mail.mails()[0].text.clone();
    let (token, link) = (word(&text, "Token"), word(&text, "Link"));

    let answer = ask(&server, json!({"token": token})).await;
    let came_by = &answer["came_by"];
    assert_eq!((&answer["known"], &answer["name"]), (&json!(true), &json!("Ada")), "{answer}");
    assert_eq!(json!([came_by["channel"], came_by["template"], came_by["journey"]]), json!(["email", "hello", "hello"]));
    let message = server.get(&format!("/api/v1/messages/{}", came_by["message"].as_str().expect("an id"))).await;
    assert_eq!(message["user_id"], "u1");

    // A token for another page, one that was changed, one of somebody else: the page is asked all the same, and knows nobody.
    let of_a_page = link.rsplit('/').next().expect("a link").to_owned();
    for token in [of_a_page, format!("{token}0"), token.replace("prf_", "prf_1"), String::new()] {
        let answer = ask(&server, json!({"token": token})).await;
        assert_eq!((&answer["known"], &answer["came_by"]), (&json!(false), &Value::Null), "{token}");
    }

    // With what he just did, his browser becomes his: from then on he is known without the token.
    let before = ask(&server, json!({"anonymous_id": "browser"})).await;
    assert_eq!(before["known"], false);
    let page = json!({"type": "page", "name": "Offer"});
    let answer = ask(&server, json!({"token": token, "anonymous_id": "browser", "event": page})).await;
    assert_eq!((&answer["user_id"], &answer["came_by"]["template"]), (&json!("u1"), &json!("hello")), "{answer}");
    let after = ask(&server, json!({"anonymous_id": "browser"})).await;
    assert_eq!((&after["user_id"], &after["came_by"]), (&json!("u1"), &Value::Null), "{after}");
}
