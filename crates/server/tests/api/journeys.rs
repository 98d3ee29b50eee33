//! Journeys with their maps, who stands where, and moving passages; audiences, messages and what policies say.

use crate::common::Server;
use crate::people::{SHOP, track};
use reqwest::Method;
use serde_json::{Value, json};

/// Everybody at once: two wait in the cart journey, one has left it, one was greeted.
async fn shop() -> Server {
    let server = Server::start(SHOP).await;
    let agrees = json!({"consent": {"categoryPreferences": {"marketing": true}}});
    let calls = [
        track("u1", "Cart Updated", &json!({"value": 50})),
        track("u2", "Cart Updated", &json!({"value": 30})),
        track("u3", "Cart Updated", &json!({"value": 99})),
        track("u3", "Order Completed", &json!({})),
        json!({"type": "identify", "userId": "u4", "traits": {"plan": "gold", "country": "DE"}, "context": agrees}),
        track("u4", "Signed Up", &json!({})),
    ];
    server.send(&calls).await;
    server
}

fn node<'g>(journey: &'g Value, id: &str) -> &'g Value {
    journey["graph"]["nodes"].as_array().expect("nodes").iter().find(|node| node["id"] == id).expect("a node of this id")
}

fn edges(journey: &Value) -> Vec<String> {
    let line = |edge: &Value| {
        let text = |name: &str| edge[name].as_str().expect("a text").to_owned();
        format!("{}-[{}]->{} {}", text("from"), text("label"), text("to"), edge["count"])
    };
    journey["graph"]["edges"].as_array().expect("edges").iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_says_exactly_how_many_stand_where_and_went_which_way() {
    let mut server = shop().await;
    for _ in 0..2 {
        let cart = server.get("/api/v1/journeys/cart").await;
        assert_eq!(
            (&node(&cart, "entry")["passed"], &node(&cart, "hold")["waiting"], &node(&cart, "hold")["passed"]),
            (&json!(3), &json!(2), &json!(0))
        );
        assert_eq!(edges(&cart), ["entry-[]->hold 3", "hold-[matched]->end 0", "hold-[timeout]->end 0"]);
        assert_eq!(cart["counts"], json!({"running": 2, "entered": 3, "converted": 0, "completed": 0, "exited": 1, "goal": 0}));
        assert_eq!((&cart["versions"][0]["running"], &cart["file"]), (&json!(2), &json!("journeys/cart.yaml")));
        assert!(cart["versions"][0]["published_at"].is_string());
        assert_eq!(cart["entry"][0]["label"], "Cart Updated where event.properties.value >= 20.0");
        let hello = server.get("/api/v1/journeys/hello").await;
        let wanted = [
            "entry-[]->gold 1",
            "gold-[profile.traits.plan == \"gold\"]->greet 1",
            "gold-[otherwise]->greet 0",
            "greet-[sent]->end 0",
            "greet-[suppressed]->end 1",
            "greet-[failed]->end 0",
        ];
        // u4 agrees, but has no address that a webhook could use beside his user id, which it does.
        assert_eq!(edges(&hello)[..3], wanted[..3]);
        let list = server.get("/api/v1/journeys").await;
        assert_eq!((&list["items"][0]["journey"], &list["items"][0]["running"]), (&json!("cart"), &json!(2)));
        assert_eq!(list["items"][0]["goal"], cart["counts"]["goal"]);
        assert_eq!(list["items"][0]["trend"].as_array().unwrap().iter().filter_map(Value::as_u64).sum::<u64>(), 3);
        server = server.restart(SHOP).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_stand_at_a_step_are_listed_page_by_page() {
    let mut server = shop().await;
    for _ in 0..2 {
        let users = |page: &Value| {
            page["items"].as_array().unwrap().iter().map(|one| one["user_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let first = server.get("/api/v1/journeys/cart/steps/hold/enrollments?limit=1").await;
        let token = first["next_page_token"].as_str().unwrap();
        let second = server.get(&format!("/api/v1/journeys/cart/steps/hold/enrollments?limit=1&page_token={token}")).await;
        assert_eq!([users(&first), users(&second)].concat(), ["u1", "u2"]);
        assert_eq!((&first["items"][0]["state"], &first["items"][0]["step"]), (&json!("waiting"), &json!("hold")));
        assert!(first["items"][0]["until"].is_string());
        assert_eq!(users(&server.get("/api/v1/enrollments?journey=cart").await), ["u1", "u2"]);
        assert_eq!(users(&server.get("/api/v1/enrollments?profile=user_id:u2").await), ["u2"]);
        server = server.restart(SHOP).await;
    }
    server.send(&[track("u1", "Order Completed", &json!({}))]).await;
    let left = server.get("/api/v1/enrollments?journey=cart").await;
    assert_eq!(left["items"].as_array().unwrap().len(), 1, "who has left is gone from the list before the next checkpoint");
}

#[tokio::test(flavor = "multi_thread")]
async fn passages_move_to_a_new_version_after_a_preview_and_back() {
    let server = shop().await;
    let path = "/api/v1/journeys/cart/migrations";
    let newer: Vec<(String, String)> =
        SHOP.iter().map(|(path, text)| ((*path).to_owned(), text.replace("id: hold", "id: pause"))).collect();
    let newer: Vec<(&str, &str)> = newer.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let server = server.restart(&newer).await;
    let cart = server.get("/api/v1/journeys/cart").await;
    assert_eq!(cart["versions"].as_array().unwrap().iter().map(|version| version["running"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 2]);
    let (status, stays) = server.call(Method::POST, path, Some(json!({"preview": true}))).await;
    assert_eq!((status, &stays["moved"], &stays["parked"]), (200, &json!([{"step": "hold", "to": null, "count": 2}]), &json!(2)));
    let (_, plan) = server.call(Method::POST, path, Some(json!({"steps": {"hold": "pause"}}))).await;
    assert_eq!(plan["moved"], json!([{"step": "hold", "to": "pause", "count": 2}]));
    let moved = server.get("/api/v1/journeys/cart").await;
    assert_eq!((&node(&moved, "pause")["waiting"], &moved["versions"][0]["running"]), (&json!(2), &json!(2)));
    let listed = server.get("/api/v1/journeys/cart/steps/pause/enrollments").await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    let (status, _) = server.call(Method::POST, &format!("{path}/{}/undo", plan["number"]), None).await;
    assert_eq!(status, 202);
    let back = server.get("/api/v1/journeys/cart").await;
    assert_eq!((&node(&back, "pause")["waiting"], &back["versions"][1]["running"]), (&json!(0), &json!(2)));
    let (status, problem) = server.call(Method::POST, path, Some(json!({"steps": {"hold": "nowhere"}}))).await;
    assert_eq!((status, &problem["code"]), (400, &json!("bad-input")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_audience_has_its_members_and_its_changes() {
    let mut server = shop().await;
    for _ in 0..2 {
        let buyers = server.get("/api/v1/audiences/buyers").await;
        assert_eq!((&buyers["title"], &buyers["size"], &buyers["history"][0]["size"]), (&json!("Has bought"), &json!(1), &json!(1)));
        assert_eq!(buyers["traits"], json!([{"name": "orders", "definition": "count of Order Completed"}]));
        let people = server.get("/api/v1/audiences/buyers/profiles").await;
        assert_eq!(people["items"][0]["identifiers"][0]["value"], "u3");
        assert!(people["items"][0]["since"].is_string());
        let changes = server.get("/api/v1/audiences/buyers/changes").await;
        assert_eq!((&changes["items"][0]["user_id"], &changes["items"][0]["change"]), (&json!("u3"), &json!("entered")));
        assert_eq!(server.get("/api/v1/audiences").await["items"][0]["audience"], "buyers");
        server = server.restart(SHOP).await;
    }
    // A merge: the one who is gone takes no place in the audience any more.
    let merge = json!({"type": "alias", "userId": "u1", "previousId": "u3"});
    server.send(&[merge]).await;
    let size = server.get("/api/v1/audiences/buyers").await["size"].clone();
    let listed = server.get("/api/v1/audiences/buyers/profiles").await;
    assert_eq!(size, json!(listed["items"].as_array().unwrap().len()), "size and members agree after a merge");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_listed_with_what_became_of_them() {
    let mut server = shop().await;
    server.send(&[track("u1", "Signed Up", &json!({}))]).await;
    for _ in 0..2 {
        let all = server.get("/api/v1/messages").await;
        assert_eq!(all["items"].as_array().unwrap().len(), 2);
        let stopped = server.get("/api/v1/messages?state=suppressed").await;
        let message = &stopped["items"][0];
        assert_eq!(
            (&message["user_id"], &message["rule"], &message["template"]),
            (&json!("u1"), &json!("consent.marketing.opt_in"), &json!("hello"))
        );
        let one = server.get(&format!("/api/v1/messages/{}", message["id"].as_str().unwrap())).await;
        assert_eq!(one["history"][0]["state"], "suppressed");
        for (query, count) in
            [("profile=user_id:u4", 1), ("profile=user_id:u2", 0), ("journey=cart", 0), ("template=hello", 2), ("channel=sms", 0)]
        {
            let found = server.get(&format!("/api/v1/messages?{query}")).await;
            assert_eq!(found["items"].as_array().unwrap().len(), count, "{query}");
        }
        let stats = server.get("/api/v1/messages/stats?by=template&hours=1").await;
        assert_eq!((&stats["items"][0]["key"], &stats["items"][0]["suppressed"]), (&json!("hello"), &json!(1)));
        let stats = server.get("/api/v1/messages/stats?by=country").await;
        assert_eq!(stats["items"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect::<Vec<_>>(), ["", "DE"]);
        let page = server.get("/api/v1/messages?limit=1").await;
        let next = server.get(&format!("/api/v1/messages?limit=1&page_token={}", page["next_page_token"].as_str().unwrap())).await;
        assert_ne!(page["items"][0]["id"], next["items"][0]["id"]);
        server = server.restart(SHOP).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn consents_and_policies_are_there_to_look_at_and_to_ask() {
    let mut server = shop().await;
    let path = "/api/v1/profiles/user_id:u1/consents";
    server.call(Method::POST, path, Some(json!({"purpose": "marketing", "granted": true}))).await;
    server.call(Method::POST, path, Some(json!({"purpose": "marketing", "granted": false}))).await;
    for _ in 0..2 {
        let lines = |page: &Value| -> Vec<String> {
            let entries = page["items"].as_array().unwrap();
            entries
                .iter()
                .map(|one| format!("{} {} {}", one["user_id"].as_str().unwrap(), one["granted"], one["cause"].as_str().unwrap()))
                .collect()
        };
        let all = server.get("/api/v1/consents").await;
        assert_eq!(lines(&all), ["u1 false faden.consent.changed", "u1 true faden.consent.changed", "u4 true Identify"]);
        assert_eq!(lines(&server.get("/api/v1/consents?profile=user_id:u4").await), ["u4 true Identify"]);
        assert_eq!(lines(&server.get("/api/v1/consents?purpose=service").await).len(), 0);
        let first = server.get("/api/v1/consents?limit=1").await;
        let rest = server.get(&format!("/api/v1/consents?page_token={}", first["next_page_token"].as_str().unwrap())).await;
        assert_eq!(rest["items"].as_array().unwrap().len(), 2);
        server = server.restart(SHOP).await;
    }
    let policies = server.get("/api/v1/policies").await;
    assert_eq!((&policies["policies"][0]["file"], &policies["effective"][0]["scope"]), (&json!("policies/global.yaml"), &json!("global")));
    assert_eq!(
        policies["effective"][0]["rows"][0],
        json!({"rule": "consent.marketing", "value": "opt_in", "from": "global", "tightened": false})
    );
    for (who, purpose, verdict, rule) in [
        ("u1", "marketing", "suppress", json!("consent.marketing.withdrawn")),
        ("u4", "marketing", "send", Value::Null),
        ("u2", "service", "send", Value::Null),
    ] {
        let body = json!({"profile": format!("user_id:{who}"), "purpose": purpose, "channels": ["webhook"]});
        let (_, said) = server.call(Method::POST, "/api/v1/policies/check", Some(body)).await;
        assert_eq!((&said["verdict"], &said["rule"]), (&json!(verdict), &rule), "{who}: {said}");
        assert!(!said["checks"].as_array().unwrap().is_empty());
    }
    assert_eq!(server.get("/api/v1/experiments").await["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_not_found_and_what_cannot_be_read_is_told() {
    let server = shop().await;
    let table = [
        ("GET", "/api/v1/journeys/none", json!(null), 404, "not-found"),
        ("GET", "/api/v1/journeys/cart/steps/none/enrollments", json!(null), 404, "not-found"),
        ("GET", "/api/v1/journeys/cart/steps/hold/enrollments?page_token=x", json!(null), 400, "bad-input"),
        ("GET", "/api/v1/enrollments?journey=none", json!(null), 404, "not-found"),
        ("GET", "/api/v1/enrollments?profile=user_id:none", json!(null), 404, "not-found"),
        ("GET", "/api/v1/enrollments?limit=x", json!(null), 400, "bad-input"),
        ("POST", "/api/v1/journeys/none/migrations", json!({}), 404, "not-found"),
        ("POST", "/api/v1/journeys/cart/migrations", json!({"to_version": "7"}), 404, "not-found"),
        ("POST", "/api/v1/journeys/cart/migrations/x/undo", json!({}), 404, "not-found"),
        ("GET", "/api/v1/audiences/none", json!(null), 404, "not-found"),
        ("GET", "/api/v1/audiences/none/profiles", json!(null), 404, "not-found"),
        ("GET", "/api/v1/audiences/buyers/changes?page_token=x", json!(null), 400, "bad-input"),
        ("GET", "/api/v1/messages?state=lost", json!(null), 400, "bad-input"),
        ("GET", "/api/v1/messages/msg_0_99", json!(null), 404, "not-found"),
        ("GET", "/api/v1/messages/x", json!(null), 404, "not-found"),
        ("GET", "/api/v1/messages/stats?by=moon", json!(null), 400, "bad-input"),
        ("GET", "/api/v1/messages/stats?hours=0", json!(null), 400, "bad-input"),
        ("GET", "/api/v1/consents?profile=none", json!(null), 404, "not-found"),
        ("POST", "/api/v1/policies/check", json!({"profile": "user_id:u1", "purpose": "marketing", "channels": []}), 400, "bad-input"),
        ("POST", "/api/v1/policies/check", json!({"profile": "none", "purpose": "marketing", "channels": ["sms"]}), 404, "not-found"),
        (
            "POST",
            "/api/v1/policies/check",
            json!({"profile": "user_id:u1", "purpose": "x", "channels": ["sms"], "at": "soon"}),
            400,
            "bad-input",
        ),
    ];
    for (method, path, body, status, code) in table {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let (answered, problem) = server.call(method, path, Some(body).filter(|body| !body.is_null())).await;
        assert_eq!((answered, problem["code"].as_str()), (status, Some(code)), "{path}: {problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_stand_side_by_side_each_with_its_text_and_its_counts_also_of_a_range() {
    let server = shop().await;
    let newer: Vec<(String, String)> =
        SHOP.iter().map(|(path, text)| ((*path).to_owned(), text.replace("id: hold", "id: pause"))).collect();
    let newer: Vec<(&str, &str)> = newer.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let mut server = server.restart(&newer).await;
    server.send(&[track("u9", "Cart Updated", &json!({"value": 70}))]).await;
    for _ in 0..2 {
        let new = server.get("/api/v1/journeys/cart").await;
        let old = new["versions"][1]["version"].as_str().unwrap();
        let table = [
            (String::new(), "pause", 3, 4, 1),
            (format!("version={old}"), "hold", 2, 3, 1),
            ("version=".to_owned() + new["version"].as_str().unwrap(), "pause", 1, 1, 0),
            (format!("version={old}&from=2020-01-01T00:00:00Z"), "hold", 2, 3, 1),
            (format!("version={old}&from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z"), "hold", 2, 3, 1),
            ("from=2020-01-01T00:00:00Z".to_owned(), "pause", 1, 1, 0),
        ];
        for (query, step, running, entered, exited) in table {
            let shown = server.get(&format!("/api/v1/journeys/cart?{query}")).await;
            let counts = &shown["counts"];
            assert_eq!(
                (&counts["running"], &counts["entered"], &counts["exited"]),
                (&json!(running), &json!(entered), &json!(exited)),
                "{query}"
            );
            assert!(shown["source"].as_str().unwrap().contains(&format!("id: {step}")), "{query}: {}", shown["source"]);
            assert_eq!(node(&shown, "entry")["passed"], if query.is_empty() { json!(1) } else { json!(entered) }, "{query}");
            assert_eq!(shown["range"].is_object(), query.contains("from"), "{query}");
        }
        let (status, _) = server.call(Method::GET, "/api/v1/journeys/cart?version=7", None).await;
        let (wrong, _) = server.call(Method::GET, "/api/v1/journeys/cart?from=soon", None).await;
        let (turned, _) = server.call(Method::GET, "/api/v1/journeys/cart?from=2020-01-02T00:00:00Z&to=2020-01-01T00:00:00Z", None).await;
        assert_eq!((status, wrong, turned), (404, 400, 400));
        server = server.restart(&newer).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn past_moves_are_listed_and_can_be_taken_back_by_their_number() {
    let server = shop().await;
    let path = "/api/v1/journeys/cart/migrations";
    let newer: Vec<(String, String)> =
        SHOP.iter().map(|(path, text)| ((*path).to_owned(), text.replace("id: hold", "id: pause"))).collect();
    let newer: Vec<(&str, &str)> = newer.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let mut server = server.restart(&newer).await;
    assert_eq!(server.get(path).await["items"], json!([]));
    server.call(Method::POST, path, Some(json!({"steps": {"hold": "pause"}}))).await;
    let (status, _) = server.call(Method::POST, &format!("{path}/7/undo"), None).await;
    assert_eq!(status, 404, "a number that was never given");
    for (moved_back, undone) in [(0, false), (2, true)] {
        server = server.restart(&newer).await;
        if undone {
            let number = server.get(path).await["items"][0]["number"].clone();
            assert_eq!(server.call(Method::POST, &format!("{path}/{number}/undo"), None).await.0, 202);
        }
        let past = server.get(path).await["items"][0].clone();
        let said = (&past["moved"], &past["moved_back"], past["undone_at"].is_string(), &past["steps"]);
        assert_eq!(said, (&json!(2), &json!(moved_back), undone, &json!({"hold": "pause"})), "{past}");
    }
}
