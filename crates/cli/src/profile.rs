//! `faden profile get`: what is known of one customer, from a running server or the store of a durable replay.

use crate::Ending;
use crate::client::Server;
use crate::terminal::{self, Paint};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use faden_engine::identity::Identity;
use faden_engine::profile::Profile;
use faden_model::{Identifier, IdentifierKind, ProfileId};
use faden_runtime::SharedStore;
use faden_storage::{FjallStore, StoreOptions, Table};
use serde_json::Value;
use std::borrow::Cow;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Look at one customer
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Show what is known of one customer
    #[command(after_help = "Examples:
  FADEN_KEY=fdk_... faden profile get email:ada@example.com
  faden replay events.ndjson --workspace my-shop --durable data
  faden profile get email:ada@example.com --durable data
  faden profile get prf_7b --durable data --json")]
    Get(Get),
}

#[derive(Args)]
struct Get {
    /// An identifier as KIND:VALUE, or a profile's id
    #[arg(value_name = "KIND:VALUE")]
    who: String,
    /// The directory that `faden replay --durable` wrote, instead of a server
    #[arg(long, value_name = "DIR")]
    durable: Option<PathBuf>,
    #[command(flatten)]
    server: Server,
    /// The profile as one JSON object
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<Ending> {
    let Verb::Get(get) = &arguments.verb;
    let paint = Paint::for_stdout();
    let (json, text) = match &get.durable {
        Some(directory) => {
            let store = open(directory)?;
            let id = find(&store, &get.who)?;
            let Some(profile) = store.profile(id) else { bail!("nobody has {}", get.who) };
            (serde_json::to_string(&profile)?, text(&profile, paint))
        }
        None => {
            let known: Value = get.server.connect()?.get(&format!("/api/v1/profiles/{}", in_path(&get.who)))?;
            (known.to_string(), told(&known, paint))
        }
    };
    let mut out = terminal::output();
    if get.json {
        writeln!(out, "{json}")?;
    } else {
        write!(out, "{text}")?;
    }
    out.flush()?;
    Ok(Ending::Well)
}

fn open(directory: &Path) -> anyhow::Result<SharedStore> {
    let path = directory.join("store");
    // Opening would make a new store, which is not what somebody asks for who wants to look.
    if !path.is_dir() {
        bail!("`{}` holds no store; name the directory that `faden replay --durable` wrote", directory.display());
    }
    Ok(SharedStore::new(Box::new(FjallStore::open(&StoreOptions::new(path))?)))
}

fn find(store: &SharedStore, who: &str) -> anyhow::Result<ProfileId> {
    if who.starts_with("prf_") {
        return Ok(ProfileId::parse(who)?);
    }
    let Some((kind, value)) = who.split_once(':') else {
        bail!("`{who}` names nobody; write KIND:VALUE, such as email:ada@example.com, or a profile's id");
    };
    let kind = IdentifierKind::from_name(kind);
    // National phone numbers would need the workspace's country: in a question they are written in full.
    let Some(value) = faden_model::identifier::normalise(&kind, value, "") else {
        bail!("`{value}` cannot be a {}", kind.name());
    };
    let key = store.lock().get(Table::Meta, b"hash_key")?.context("the store is empty; nothing was replayed into it")?;
    let key = key.try_into().map_err(|_| anyhow::anyhow!("the store's identity key is damaged; restore it from a backup"))?;
    let mut rows: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    store.each(Table::Identity, |key, value| rows.push((key.to_vec(), value.to_vec())));
    let identity = Identity::load(key, rows)?;
    let found = identity.find(&Identifier { kind, value: Cow::Owned(value.into_owned()) });
    found.with_context(|| format!("nobody has {who}"))
}

/// The text as one part of a path.
fn in_path(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~:@".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Who it is and since when, then sections that have lines.
fn page(head: [&str; 3], sections: Vec<(&str, Vec<String>)>, paint: Paint) -> String {
    let [id, created, seen] = head;
    let mut out = format!("  {}\n  {}\n", paint.code("1", id), paint.dim(&format!("first seen {created}  last seen {seen}")));
    for (name, lines) in sections.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        out.push_str(&format!("\n  {}\n", paint.dim(name)));
        lines.iter().for_each(|line| out.push_str(&format!("    {line}\n")));
    }
    out
}

/// What a server knows.
fn told(known: &Value, paint: Paint) -> String {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let each = |list: &str, line: &dyn Fn(&Value) -> String| known[list].as_array().into_iter().flatten().map(line).collect::<Vec<_>>();
    let computed = known["computed_traits"].as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let sections = vec![
        ("identifiers", each("identifiers", &|one| format!("{}:{}", text(one, "kind"), text(one, "value")))),
        ("traits", each("trait_details", &|one| format!("{} = {}  ({})", text(one, "name"), one["value"], text(one, "at")))),
        ("computed", computed.map(|(name, value)| format!("{name} = {value}")).collect()),
        ("audiences", each("audiences", &|one| format!("{} since {}", text(one, "audience"), text(one, "since")))),
        ("consent", each("consents", &|one| format!("{} {} at {}", text(one, "purpose"), text(one, "state"), text(one, "at")))),
        ("merged from", each("merges", &|one| text(one, "loser"))),
        ("passages", each("enrollments", &|one| passage(one))),
    ];
    page([&text(known, "id"), &text(known, "created_at"), &text(known, "last_seen_at")], sections, paint)
}

fn passage(one: &Value) -> String {
    let text = |name: &str| one[name].as_str();
    let place = match (text("outcome"), text("step")) {
        (Some(outcome), _) => format!("ended: {outcome}"),
        (None, Some(step)) => format!("at {step}"),
        (None, None) => "under way".to_owned(),
    };
    let [id, journey, entered] = ["id", "journey", "entered_at"].map(|name| text(name).unwrap_or_default());
    format!("{id} {journey} since {entered}, {place}")
}

fn text(profile: &Profile, paint: Paint) -> String {
    let mut sections = Vec::new();
    let mut section = |name: &'static str, lines: Vec<String>| sections.push((name, lines));
    let strands = &profile.strands;
    let identifiers = strands.iter().flat_map(|strand| &strand.identifiers);
    section("identifiers", identifiers.map(|known| format!("{}:{}", known.kind.name(), known.value)).collect());
    let traits = strands.iter().flat_map(|strand| &strand.traits);
    section("traits", traits.map(|told| format!("{} = {}  ({})", told.name, told.value, told.at)).collect());
    let consents = strands.iter().flat_map(|strand| &strand.consents);
    section("consent", consents.map(|entry| format!("{} {:?} at {}", entry.purpose, entry.state, entry.at).to_lowercase()).collect());
    section("merged from", strands.iter().skip(1).map(|strand| strand.origin.to_string()).collect());
    let passages = profile.enrollments.iter();
    section("running passages", passages.map(|passage| format!("{} since {}", passage.id, passage.entered_at)).collect());
    let [id, created, seen] = [profile.id.to_string(), profile.created_at.to_string(), profile.last_seen_at.to_string()];
    page([&id, &created, &seen], sections, paint)
}
