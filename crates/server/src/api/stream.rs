//! News as they happen, as server-sent events.
//!
//! Bounded at both ends: of many decisions at once the first ones are told and the others counted, and a
//! reader who is too slow is told how many news he missed. Lists have what the stream leaves out.

use super::decisions::item;
use crate::access::{Need, Who};
use crate::keys::Scope;
use crate::problem::Problem;
use crate::state::App;
use axum::Router;
use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use axum::routing::get;
use faden_runtime::views::decided::Newest;
use futures_util::Stream;
use serde_json::json;
use std::convert::Infallible;
use std::time::Duration;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use utoipa::OpenApi;

pub const ACCESS: &[(&str, &str, Need)] = &[("GET", "/api/v1/stream", Need::Scope(Scope::WorkspaceRead))];

pub fn router() -> Router<App> {
    Router::new().route("/api/v1/stream", get(stream))
}

#[derive(OpenApi)]
#[openapi(paths(stream))]
pub struct Document;

/// Between two looks at what was decided.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const DECISION: &str = "decision";
const MISSED: &str = "missed";
/// Tells streams to end; no reader sees it.
pub const END: &str = "end";

/// News as server-sent events
///
/// `overview` every second; `decision` as decisions are made, for callers who may read profiles; `missed` with
/// how many of them (or, for a slow reader, of all news) were left out; `published` after a publication.
#[utoipa::path(get, path = "/api/v1/stream", tag = "overview", responses((status = 200, description = "text/event-stream", content_type = "text/event-stream"), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub async fn stream(State(app): State<App>, Who(caller): Who) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let sees_people = caller.scopes.contains(&Scope::ProfilesRead);
    let news = BroadcastStream::new(app.live.listen());
    let news = news.take_while(|news| !matches!(news, Ok(news) if news.event == END)).filter_map(move |news| match news {
        Ok(news) if news.event == DECISION && !sees_people => None,
        Ok(news) => Some(Event::default().event(news.event).data(news.data)),
        Err(BroadcastStreamRecvError::Lagged(count)) => Some(Event::default().event(MISSED).data(missed(count))),
    });
    Sse::new(news.map(Ok)).keep_alive(KeepAlive::default())
}

fn missed(count: u64) -> String {
    json!({ "decisions": count }).to_string()
}

/// Tells what is decided, while somebody listens.
pub async fn as_decided(app: App) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut kept = false;
    loop {
        ticks.tick().await;
        let keep = app.live.listeners() > 0;
        if !keep && !kept {
            continue;
        }
        kept = keep;
        let look = app.keeper.look(move |node| node.views().map(|views| views.decided.take_newest(keep)));
        // A node that is being opened again decides nothing.
        let Ok(Some(Newest { decisions, left_out })) = look.await else { continue };
        for decision in decisions {
            let mut line = String::new();
            decision.write_json(&mut line, true);
            let told = serde_json::from_str(&line).and_then(|line| serde_json::to_string(&item(&line)));
            told.into_iter().for_each(|text| app.live.tell(DECISION, text));
        }
        if left_out > 0 {
            app.live.tell(MISSED, missed(left_out));
        }
    }
}
