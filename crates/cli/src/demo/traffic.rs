//! Customers who keep coming while the demo runs, over HTTP like any source.

use super::people::Person;
use super::{now, story};
use crate::bench::mix;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Between two things that happen to many at once.
const BUSINESS_EVERY: u64 = 90;
/// Seconds before the first of them: whoever has just started the demo wants to see something come in.
const BUSINESS_FIRST: u64 = 20;
/// A visit is over by then.
const VISIT_MAX: Duration = Duration::from_secs(60);

/// Begins `per_second` visits each second, for ever. The sources get keys of their own by `admin_key`.
pub async fn run(base_url: String, admin_key: String, customers: u64, per_second: u64) {
    let Ok(http) = reqwest::Client::builder().no_proxy().timeout(VISIT_MAX).build() else { return };
    let mut keys = BTreeMap::new();
    for source in [story::SHOP, story::COUNTER, story::ERP] {
        match source_key(&http, &base_url, &admin_key, source).await {
            Ok(key) => drop(keys.insert(source, key)),
            Err(error) => eprintln!("the source `{source}` gets no key and sends nothing: {error}"),
        }
    }
    let keys = Arc::new(keys);
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    let mut round: u64 = 0;
    loop {
        seconds.tick().await;
        round += 1;
        for visit in 0..per_second {
            let number = mix(round.wrapping_mul(1_000).wrapping_add(visit)) % (customers + customers / 20 + 1);
            let (http, base_url, keys) = (http.clone(), base_url.clone(), keys.clone());
            tokio::spawn(async move {
                let begin = now();
                for call in story::next(&Person::new(number), round, begin) {
                    let wait = u64::try_from(call.at.0 - now().0).unwrap_or(0);
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                    send(&http, &format!("{base_url}/v1/track"), &keys, call).await;
                }
            });
        }
        if round % BUSINESS_EVERY == BUSINESS_FIRST {
            send(&http, &format!("{base_url}/v1/events"), &keys, story::business(round, now())).await;
        }
    }
}

/// A key for a source, made the way people make one.
async fn source_key(http: &reqwest::Client, base_url: &str, admin_key: &str, source: &str) -> reqwest::Result<String> {
    #[derive(serde::Deserialize)]
    struct Made {
        key: String,
    }
    let wanted = serde_json::json!({"name": source, "role": "source"});
    let asked = http.post(format!("{base_url}/api/v1/keys")).bearer_auth(admin_key).json(&wanted).send().await?;
    Ok(asked.error_for_status()?.json::<Made>().await?.key)
}

async fn send(http: &reqwest::Client, url: &str, keys: &BTreeMap<&str, String>, call: story::Call) {
    let Some(key) = keys.get(call.source) else { return };
    // A demo's visitor who cannot be served goes away.
    let _ = http.post(url).basic_auth(key, Some("")).header("content-type", "application/json").body(call.body).send().await;
}
