//! Log lines on standard error, and traces to a collector where one is named.
//!
//! `FADEN_LOG` chooses what is logged (such as `faden_server=debug,warn`). With
//! `OTEL_EXPORTER_OTLP_ENDPOINT` HTTP calls and sends become spans: routes and states, nothing of a customer.

use crate::state::App;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Handle;
use tracing::{Instrument, debug_span, field};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

/// Names the collector; its other variables are OpenTelemetry's own.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Our own news; of the libraries what went wrong.
const DEFAULT: &str = "warn,faden_server=info,faden_channels=info,faden_runtime=info";

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// Ends the traces when it is dropped: what was collected is sent.
pub struct Telemetry(Option<SdkTracerProvider>);

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.take().map(|provider| tokio::task::block_in_place(|| provider.shutdown())) {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Starts logging and, where a collector is named, tracing; called once, inside the runtime.
pub fn start(format: LogFormat) -> Telemetry {
    let filter = EnvFilter::try_from_env("FADEN_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let coloured = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(coloured);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines.json().with_filter(filter).boxed(),
    };
    let (provider, trouble) = match std::env::var_os(ENDPOINT).map(|_| provider()) {
        Some(Ok(provider)) => (Some(provider), None),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    };
    let only_ours = Targets::new().with_target("faden_server", LevelFilter::DEBUG);
    let traces = provider.as_ref().map(|provider| {
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("faden")).with_tracked_inactivity(false);
        layer.with_filter(only_ours)
    });
    // Set already where another part of the process was first.
    let _ = tracing_subscriber::registry().with(lines).with(traces).try_init();
    if let Some(error) = trouble {
        tracing::warn!(%error, "traces cannot be sent; look at {ENDPOINT}");
    }
    Telemetry(provider)
}

fn provider() -> Result<SdkTracerProvider, opentelemetry_otlp::ExporterBuildError> {
    // Installed already where the server was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exporter = OnRuntime { exporter: Arc::new(Otlp::builder().with_http().build()?), runtime: Handle::current() };
    let resource = Resource::builder().with_service_name("faden").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// Batches are made on a thread of their own; what sends them needs the runtime.
#[derive(Debug)]
struct OnRuntime {
    exporter: Arc<Otlp>,
    runtime: Handle,
}

impl SpanExporter for OnRuntime {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exporter = self.exporter.clone();
        let sent = self.runtime.spawn(async move { exporter.export(batch).await });
        sent.await.unwrap_or_else(|error| Err(OTelSdkError::InternalFailure(error.to_string())))
    }

    fn set_resource(&mut self, resource: &Resource) {
        // Told once, before anything is sent: nobody else has it yet.
        if let Some(exporter) = Arc::get_mut(&mut self.exporter) {
            exporter.set_resource(resource);
        }
    }
}

/// One span for each HTTP call, and how long it took: its route as the router writes it, never what stands in its place.
pub async fn trace(State(app): State<App>, request: Request, next: Next) -> Response {
    let (matched, begun) = (request.extensions().get::<MatchedPath>().cloned(), Instant::now());
    let route = matched.as_ref().map_or("", MatchedPath::as_str);
    let span = debug_span!(
        "http",
        otel.name = format!("{} {route}", request.method()),
        otel.kind = "server",
        http.request.method = %request.method(),
        http.route = route,
        http.response.status_code = field::Empty,
    );
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    app.timings.took(route, begun.elapsed());
    response
}
