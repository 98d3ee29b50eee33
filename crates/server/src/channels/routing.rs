//! Which of several accounts takes a message.
//!
//! Accounts that say `instead_of: NAME` may take what goes by NAME. Of these and NAME itself it is one that can be
//! used and does not rest; of several the one by which most has arrived in the customer's country lately; of equals
//! NAME. What is not measured yet counts as good ([`PRIOR`]), so an account that does worse than that lets the others
//! be tried, and their figures decide from then on.

use super::accounts::Account;
use crate::keeper::now;
use crate::state::App;
use faden_model::Text;
use faden_runtime::views::stats::{AccountKey, Hour};
use faden_runtime::views::{MessageState, hour};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Hours that are looked back at, with the running one.
const HOURS: u64 = 24;
/// Messages that arrived, of how many: what is believed of an account before it is measured.
const PRIOR: (u64, u64) = (19, 20);
/// Between two looks at the figures.
const EVERY: Duration = Duration::from_secs(5);

/// How many thousandths of an account's messages arrive, by account and country.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates(BTreeMap<AccountKey, u64>);

impl Rates {
    /// `last` is the running hour. Where an account brings receipts, what has none after the hour has not arrived;
    /// where it brings none, what the provider took has.
    fn of<'h>(hours: impl Iterator<Item = (u64, &'h Hour<AccountKey>)> + Clone, last: u64) -> Rates {
        let receipts: BTreeSet<&Text> = hours
            .clone()
            .flat_map(|(_, counts)| counts)
            .filter(|(_, counts)| counts.of(MessageState::Delivered) + counts.of(MessageState::Read) > 0)
            .map(|((account, _), _)| account)
            .collect();
        let mut sums: BTreeMap<AccountKey, (u64, u64)> = BTreeMap::new();
        for (at, (key, counts)) in hours.flat_map(|(at, counts)| counts.iter().map(move |one| (at, one))) {
            let told = receipts.contains(&key.0);
            let (sent, failed) = (counts.of(MessageState::Sent), counts.of(MessageState::Failed));
            let arrived = counts.of(MessageState::Delivered) + counts.of(MessageState::Read) + if told { 0 } else { sent };
            let silent = if told && at + 1 < last { sent } else { 0 };
            let sum = sums.entry(key.clone()).or_default();
            *sum = (sum.0 + arrived, sum.1 + arrived + failed + silent);
        }
        Rates(sums.into_iter().map(|(key, (arrived, of))| (key, thousandths(arrived, of))).collect())
    }

    fn get(&self, account: &str, country: &Text) -> u64 {
        self.0.get(&(Text::new(account), country.clone())).copied().unwrap_or_else(|| thousandths(0, 0))
    }
}

fn thousandths(arrived: u64, of: u64) -> u64 {
    (arrived + PRIOR.0) * 1000 / (of + PRIOR.1)
}

/// Accounts that messages of this kind may go by, the one that is meant first.
pub fn group<'a>(accounts: &'a BTreeMap<String, Arc<Account>>, kind: &str) -> Vec<&'a Arc<Account>> {
    let of_kind = || accounts.values().filter(|account| account.kind == kind);
    let Some(meant) = of_kind().min_by_key(|account| (account.instead_of.is_some(), account.channel.is_none())) else {
        return Vec::new();
    };
    let others = of_kind().filter(|account| account.instead_of.as_deref() == Some(&meant.name) && account.name != meant.name);
    std::iter::once(meant).chain(others).collect()
}

/// The one of a group that a message to this country goes by.
pub fn choose<'a>(group: &[&'a Arc<Account>], rates: &Rates, country: &Text) -> Option<&'a Arc<Account>> {
    group.iter().min_by_key(|account| (account.readiness(), Reverse(rates.get(&account.name, country)))).copied()
}

/// Looks at the figures every few seconds, for as long as the server runs; only where an account may take another
/// one's place, as nobody else asks for them.
pub async fn measure(app: App) {
    loop {
        if app.channels.have_stand_ins() {
            look(&app).await;
        }
        sleep(EVERY).await;
    }
}

async fn look(app: &App) {
    let last = hour(now());
    let look = app.keeper.look(move |node| node.views().map(|views| Rates::of(views.accounts.last(last, HOURS), last)));
    // While the node is opened again the figures stay as they were.
    if let Ok(rates) = look.await {
        app.channels.measured(rates.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faden_runtime::views::MessageCounts;

    #[test]
    fn what_arrived_is_measured_by_account_and_country() {
        use MessageState::{Delivered, Failed, Read, Sent};
        let last = 100;
        /// Account, country, hour, states: what is counted to have arrived, of how many.
        type Row<'r> = (&'r str, &'r str, u64, &'r [(MessageState, u64)], (u64, u64));
        let table: [Row<'_>; 6] = [
            ("first", "DE", 90, &[(Delivered, 60), (Read, 20), (Sent, 10), (Failed, 10)], (80, 100)),
            ("first", "AT", 100, &[(Delivered, 10), (Sent, 500)], (10, 10)),
            ("first", "CH", 99, &[(Delivered, 10), (Sent, 500)], (10, 10)),
            ("first", "FR", 98, &[(Delivered, 10), (Sent, 30)], (10, 40)),
            ("mail", "DE", 90, &[(Sent, 90), (Failed, 10)], (90, 100)),
            ("mail", "", 90, &[(Failed, 3)], (0, 3)),
        ];
        let mut hours: BTreeMap<u64, Hour<AccountKey>> = BTreeMap::new();
        for (account, country, at, states, _) in &table {
            let counts = MessageCounts(states.iter().copied().collect());
            hours.entry(*at).or_default().insert((Text::new(account), Text::new(country)), counts);
        }
        let rates = Rates::of(hours.iter().map(|(at, hour)| (*at, hour)), last);
        for (account, country, _, _, (arrived, of)) in table {
            assert_eq!(rates.get(account, &Text::new(country)), (arrived + 19) * 1000 / (of + 20), "{account} {country}");
        }
        assert_eq!(rates.get("new", &Text::new("DE")), 950);
    }
}
