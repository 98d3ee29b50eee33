//! The frame of the pages: plain HTML, one small style, no script, nothing from elsewhere.

use super::words::Words;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const STYLE: &str = ":root{color-scheme:light dark}*{box-sizing:border-box}\
body{margin:0;background:#f6f6f4;color:#1d1d1b;font:1.0625rem/1.5 system-ui,sans-serif}\
main{max-width:40rem;margin:2rem auto;padding:1.5rem;background:#fff;border:1px solid #d5d5d0;border-radius:.5rem}\
h1{margin:0 0 .5rem;font-size:1.6rem;line-height:1.25}h2{font-size:1.2rem;margin:2rem 0 .25rem}\
p{margin:.5rem 0 1rem}.company{margin:0;color:#55554f}\
fieldset{margin:1rem 0;padding:.25rem 1rem .5rem;border:1px solid #b9b9b2;border-radius:.5rem}legend{padding:0 .4rem;font-weight:600}\
.choice{display:flex;gap:.75rem;align-items:center;min-height:2.75rem}.choice input{width:1.35rem;height:1.35rem;flex:none}\
.note{color:#55554f}label{cursor:pointer}.field{display:block;margin:1rem 0 .25rem;font-weight:600}\
select,input[type=time]{display:block;font:inherit;color:inherit;padding:.5rem;min-height:2.75rem;max-width:100%;background:#fff;border:1px solid #6d6d66;border-radius:.35rem}\
button{font:inherit;font-weight:600;min-height:2.75rem;margin:1rem 0 .5rem;padding:.5rem 1.25rem;color:#fff;background:#14532d;border:1px solid #14532d;border-radius:.35rem;cursor:pointer}\
button.stop{color:#8a1c1c;background:#fff;border-color:#8a1c1c}a{color:#14532d}\
:focus-visible{outline:3px solid #1d4ed8;outline-offset:2px}\
.done{padding:.75rem 1rem;background:#e8f3ec;border:1px solid #14532d;border-radius:.35rem}\
@media (prefers-color-scheme:dark){body{background:#161614;color:#f1f1ee}main{background:#222220;border-color:#474742}\
.company,.note{color:#c4c4bd}select,input[type=time]{background:#222220;border-color:#a0a099}fieldset{border-color:#6d6d66}\
button{background:#86efac;border-color:#86efac;color:#10240f}button.stop{background:#222220;color:#fca5a5;border-color:#fca5a5}\
a{color:#86efac}.done{background:#1c3325;border-color:#86efac}:focus-visible{outline-color:#93c5fd}}";

/// Nothing runs, and nothing but this style is used.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!("default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
    HeaderValue::from_str(&policy).expect("it is ASCII")
});

/// Text as HTML shows it, also inside of attributes.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A whole page. `body` is HTML already.
pub fn page(status: StatusCode, words: &Words, company: &str, title: &str, body: &str) -> Response {
    let (company, title) = (escaped(company), escaped(title));
    let text = format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><title>{title} - {company}</title><style>{STYLE}</style></head>\
         <body><main><p class=\"company\">{company}</p><h1>{title}</h1>{body}</main></body></html>",
        words.code
    );
    let mut response = (status, Html(text)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // The address is the key to the page.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
