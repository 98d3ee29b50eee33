//! Customers who keep coming while the demo runs, over HTTP like any source.

use super::people::Person;
use super::{now, story};
use crate::bench::mix;
use std::time::Duration;

/// Between two things that happen to many at once.
const BUSINESS_EVERY: u64 = 90;
/// Seconds before the first of them: whoever has just started the demo wants to see something come in.
const BUSINESS_FIRST: u64 = 20;
/// A visit is over by then.
const VISIT_MAX: Duration = Duration::from_secs(60);

/// Begins `per_second` visits each second, for ever.
pub async fn run(base_url: String, key: String, customers: u64, per_second: u64) {
    let Ok(http) = reqwest::Client::builder().no_proxy().timeout(VISIT_MAX).build() else { return };
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    let mut round: u64 = 0;
    loop {
        seconds.tick().await;
        round += 1;
        for visit in 0..per_second {
            let number = mix(round.wrapping_mul(1_000).wrapping_add(visit)) % (customers + customers / 20 + 1);
            let (http, base_url, key) = (http.clone(), base_url.clone(), key.clone());
            tokio::spawn(async move {
                let begin = now();
                for call in story::next(&Person::new(number), round, begin) {
                    let wait = u64::try_from(call.at.0 - now().0).unwrap_or(0);
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                    send(&http, &format!("{base_url}/v1/track"), &key, call.body).await;
                }
            });
        }
        if round % BUSINESS_EVERY == BUSINESS_FIRST {
            send(&http, &format!("{base_url}/v1/events"), &key, story::business(round, now()).body).await;
        }
    }
}

async fn send(http: &reqwest::Client, url: &str, key: &str, body: String) {
    // A demo's visitor who cannot be served goes away.
    let _ = http.post(url).basic_auth(key, Some("")).header("content-type", "application/json").body(body).send().await;
}
