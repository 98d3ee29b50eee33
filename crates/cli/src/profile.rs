//! `faden profile get`: what is known of one customer in the store of a durable replay.

use crate::Ending;
use crate::terminal::{self, Paint};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use faden_engine::identity::Identity;
use faden_engine::profile::Profile;
use faden_model::{Identifier, IdentifierKind, ProfileId};
use faden_runtime::SharedStore;
use faden_storage::{FjallStore, StoreOptions, Table};
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
    /// The directory that `faden replay --durable` wrote
    #[arg(long, value_name = "DIR")]
    durable: PathBuf,
    /// The profile as one JSON object
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<Ending> {
    let Verb::Get(get) = &arguments.verb;
    let store = open(&get.durable)?;
    let id = find(&store, &get.who)?;
    let Some(profile) = store.profile(id) else { bail!("nobody has {}", get.who) };
    let mut out = terminal::output();
    if get.json {
        writeln!(out, "{}", serde_json::to_string(&profile)?)?;
    } else {
        write!(out, "{}", text(&profile, Paint::for_stdout()))?;
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

fn text(profile: &Profile, paint: Paint) -> String {
    let mut out = format!("  {}\n", paint.code("1", &profile.id.to_string()));
    out.push_str(&format!("  {}\n", paint.dim(&format!("first seen {}  last seen {}", profile.created_at, profile.last_seen_at))));
    let mut section = |name: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            out.push_str(&format!("\n  {}\n", paint.dim(name)));
            lines.iter().for_each(|line| out.push_str(&format!("    {line}\n")));
        }
    };
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
    out
}
