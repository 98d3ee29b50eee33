//! From an account's settings to a channel that sends, the door for its provider's calls, and what runs beside.

use crate::inbound::Desk;
use crate::said::{Code, Said};
use crate::state::App;
use faden_channels::email::{self, Listener, Smtp};
use faden_channels::outbound_http::{Http, Reach};
use faden_channels::settings::SettingsError;
use faden_channels::sinch::{self, Sinch};
use faden_channels::smpp::{self, Smpp};
use faden_channels::twilio::{self, Twilio};
use faden_channels::web_push::{self, WebPush};
use faden_channels::webhook::{self, Webhook};
use faden_channels::whatsapp::{self, WhatsApp};
use faden_channels::{Channel, InboundAnswer, InboundCall, InboundError, Inbox};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Between two attempts to listen for mail: the account before may still hold the address.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// An account, ready.
pub struct Built {
    pub channel: Arc<dyn Channel>,
    /// Who understands what the provider calls us with; protocols that bring it by themselves need none.
    pub calls: Option<Calls>,
    /// Ends with the account.
    pub tasks: Vec<JoinHandle<()>>,
}

/// Providers that call us over HTTP.
#[derive(Clone)]
pub enum Calls {
    WhatsApp(Arc<WhatsApp>),
    Twilio(Arc<Twilio>),
    Sinch(Arc<Sinch>),
}

impl Calls {
    /// Checks the signature and reads what the provider says.
    ///
    /// # Errors
    /// [`InboundError`].
    pub fn read(&self, call: &InboundCall<'_>) -> Result<InboundAnswer, InboundError> {
        match self {
            Calls::WhatsApp(account) => account.inbound(call),
            Calls::Twilio(account) => account.inbound(call),
            Calls::Sinch(account) => account.inbound(call),
        }
    }
}

/// Makes the channel that an account's settings describe; what runs beside ends with `closing`.
///
/// # Errors
/// What is wrong with the settings, for people.
pub fn build(app: &App, kind: &str, name: &str, settings: &Value, closing: &CancellationToken) -> Result<Built, Said> {
    let has = |section: &str| settings.get(section).is_some_and(Value::is_object);
    let inbox = || -> Arc<dyn Inbox> { Arc::new(Desk::new(app.clone(), kind, name)) };
    let only = |channel: Arc<dyn Channel>| Built { channel, calls: None, tasks: Vec::new() };
    if has("webhook") {
        return Ok(only(made(Webhook::new(&read::<webhook::Settings>(settings)?, http(settings)?))?));
    }
    if has("smtp") {
        let settings: email::Settings = read(settings)?;
        let channel = made(Smtp::new(&settings))?;
        let tasks = settings.inbound.map(|inlet| tokio::spawn(listen(inlet, inbox(), name.to_owned(), closing.clone())));
        return Ok(Built { channel, calls: None, tasks: tasks.into_iter().collect() });
    }
    if has("smpp") {
        return Ok(only(made(Smpp::start(&read::<smpp::Settings>(settings)?, inbox()))?));
    }
    if has("vapid") {
        return Ok(only(made(WebPush::new(&read::<web_push::Settings>(settings)?, http(settings)?))?));
    }
    if has("cloud_api") {
        let account = made(WhatsApp::new(&read::<whatsapp::Settings>(settings)?, http(settings)?))?;
        return Ok(Built { channel: account.clone(), calls: Some(Calls::WhatsApp(account)), tasks: Vec::new() });
    }
    if has("twilio") {
        let account = made(Twilio::new(&read::<twilio::Settings>(settings)?, http(settings)?))?;
        return Ok(Built { channel: account.clone(), calls: Some(Calls::Twilio(account)), tasks: Vec::new() });
    }
    if has("sinch") {
        let account = made(Sinch::new(&read::<sinch::Settings>(settings)?, http(settings)?))?;
        return Ok(Built { channel: account.clone(), calls: Some(Calls::Sinch(account)), tasks: Vec::new() });
    }
    let text = format!("the account says nothing of how a `{kind}` goes out; see docs/channels");
    Err(Said::new(Code::WayMissing, [("kind", kind.into())], text))
}

fn read<T: DeserializeOwned>(settings: &Value) -> Result<T, Said> {
    Ok(T::deserialize(settings)?)
}

fn made<T>(built: Result<T, SettingsError>) -> Result<Arc<T>, Said> {
    Ok(Arc::new(built?))
}

fn http(settings: &Value) -> Result<Http, Said> {
    let private = settings.get("allow_private").and_then(Value::as_bool).unwrap_or(false);
    let reach = if private { Reach::Anywhere } else { Reach::Public };
    Http::new(reach, settings.get("ca").and_then(Value::as_str)).map_err(Said::from)
}

/// Takes mail for as long as the account is published.
async fn listen(inlet: email::Inlet, inbox: Arc<dyn Inbox>, account: String, closing: CancellationToken) {
    let mut told = false;
    let listener = loop {
        match Listener::bind(&inlet).await {
            Ok(listener) => break listener,
            Err(error) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(account, %error, "cannot listen for mail yet, will try again");
                }
                tokio::select! {
                    () = closing.cancelled() => return,
                    () = sleep(LISTEN_AGAIN) => {}
                }
            }
        }
    };
    tracing::info!(account, address = %listener.address(), "listening for mail");
    listener.run(inbox, closing).await;
}
