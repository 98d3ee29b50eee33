//! Many partitions, a thread each: the identity stream runs in the caller's thread and posts parcels.
//!
//! Nothing is shared but the store and the post. A checkpoint is a barrier: every partition answers when
//! it has worked through all post before it and no merge is under way.

use crate::checkpoint::{Cut, PartitionCut, SeenCut, SharedStore, write_identity};
use crate::node::StorePast;
use crate::partition::{FRONT, Parcel, Partition};
use faden_engine::Index;
use faden_engine::decision::Decision;
use faden_engine::delivery::{Content, Delivery};
use faden_engine::front::{Front, partition_of};
use faden_model::Record;
use faden_storage::{Batch, Position, StoreError};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Scope, ScopedJoinHandle};

/// Parcels that may wait at one partition before the identity stream waits for it.
const WAITING_MAX: u64 = 8;

/// Letters per parcel.
const LETTERS_MAX: u64 = 2_000;

enum Order {
    Parcel(Parcel),
    /// Answer when everything before this is done and nothing waits.
    Barrier,
    Stop,
}

enum Report {
    /// A parcel of the identity stream is done.
    Done {
        decisions: Vec<Decision>,
    },
    Quiet {
        cut: PartitionCut,
        decisions: Vec<Decision>,
    },
    /// A partition has panicked.
    Gone,
}

/// Says so when a partition panics: whoever waits for it would wait for ever.
struct Watch<'a>(&'a Sender<Report>);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Nobody is left to tell when this fails.
            let _ = self.0.send(Report::Gone);
        }
    }
}

/// The running partitions. Ends when dropped.
pub struct Threads<'scope> {
    front: Front,
    index: Arc<Index>,
    store: Option<SharedStore>,
    seen_max: usize,
    orders: Vec<Sender<Order>>,
    reports: Receiver<Report>,
    parcels: Vec<Parcel>,
    numbers: Vec<u64>,
    waiting: u64,
    decisions: Vec<Decision>,
    handles: Vec<ScopedJoinHandle<'scope, ()>>,
}

impl<'scope> Threads<'scope> {
    /// Takes the node's parts apart and starts a thread for each partition.
    pub fn start(scope: &'scope Scope<'scope, '_>, node: crate::Node) -> Threads<'scope> {
        let (front, index, store, partitions) = (node.front, node.index, node.store, node.partitions);
        let seen_max = node.options.seen_max;
        let count = partitions.len();
        let numbers: Vec<u64> = partitions.iter().map(|partition| partition.expected_from(FRONT)).collect();
        let (report, reports) = channel();
        let (orders, inboxes): (Vec<_>, Vec<_>) = (0..count).map(|_| channel()).unzip();
        let handles = partitions
            .into_iter()
            .zip(inboxes)
            .map(|(partition, inbox)| {
                let (peers, report) = (orders.clone(), report.clone());
                scope.spawn(move || run(partition, &inbox, &peers, &report))
            })
            .collect();
        let parcels = numbers.iter().map(|next| Parcel::new(FRONT, *next)).collect();
        let decisions = Vec::new();
        Threads { front, index, store, seen_max, orders, reports, parcels, numbers, waiting: 0, decisions, handles }
    }

    /// Routes records to the partitions. Definitions cannot change while threads run.
    pub fn apply(&mut self, records: Vec<Record<'_>>) {
        let ahead = self.front.look_ahead(records.iter().map(|record| &record.command));
        let mut deliveries = Vec::new();
        for (place, record) in records.iter().enumerate() {
            let mut past = StorePast(self.store.as_ref());
            let rules = &self.index.definitions.identity;
            self.front.route(rules, record.at, &record.command, ahead.of(place), &mut past, &mut deliveries);
            self.decisions.append(&mut self.front.decisions);
            for delivery in deliveries.drain(..) {
                self.post(&delivery);
            }
        }
    }

    fn post(&mut self, delivery: &Delivery<'_>) {
        match delivery.profile() {
            Some(profile) => self.post_to(partition_of(profile, self.orders.len()), delivery),
            None => (0..self.orders.len()).for_each(|to| self.post_to(to, delivery)),
        }
    }

    fn post_to(&mut self, to: usize, delivery: &Delivery<'_>) {
        self.parcels[to].push(delivery);
        if self.parcels[to].count >= LETTERS_MAX {
            self.dispatch(to);
        }
    }

    fn dispatch(&mut self, to: usize) {
        if self.parcels[to].count == 0 {
            return;
        }
        self.numbers[to] += self.parcels[to].count;
        let parcel = std::mem::replace(&mut self.parcels[to], Parcel::new(FRONT, self.numbers[to]));
        // A partition that is gone has panicked, and has said so.
        let _ = self.orders[to].send(Order::Parcel(parcel));
        self.waiting += 1;
        while self.waiting > WAITING_MAX * self.orders.len() as u64 {
            match self.reports.recv() {
                Ok(report) => drop(self.note(report)),
                Err(_) => return,
            }
        }
    }

    fn note(&mut self, report: Report) -> Option<PartitionCut> {
        match report {
            Report::Done { mut decisions } => {
                self.waiting -= 1;
                self.decisions.append(&mut decisions);
                None
            }
            Report::Quiet { cut, mut decisions } => {
                self.decisions.append(&mut decisions);
                Some(cut)
            }
            Report::Gone => self.raise(),
        }
    }

    /// Ends the partitions that are left, and goes on here with the panic of the one that is not.
    fn raise(&mut self) -> ! {
        for order in self.orders.drain(..) {
            let _ = order.send(Order::Stop);
        }
        let ends: Vec<_> = self.handles.drain(..).map(ScopedJoinHandle::join).collect();
        match ends.into_iter().find_map(Result::err) {
            Some(panic) => std::panic::resume_unwind(panic),
            None => unreachable!("a partition that is gone has panicked"),
        }
    }

    /// What changed in each partition, in their order, once all have done everything.
    fn barrier(&mut self) -> Vec<PartitionCut> {
        (0..self.orders.len()).for_each(|to| self.dispatch(to));
        for order in &self.orders {
            let _ = order.send(Order::Barrier);
        }
        let mut cuts = Vec::new();
        while cuts.len() < self.orders.len() {
            match self.reports.recv() {
                Ok(report) => cuts.extend(self.note(report)),
                Err(_) => break,
            }
        }
        cuts.sort_unstable_by_key(PartitionCut::number);
        cuts
    }

    /// Waits until every partition has done everything.
    pub fn wait(&mut self) {
        self.barrier();
    }

    /// A checkpoint through all partitions, at this log position.
    ///
    /// # Errors
    /// The store's.
    pub fn checkpoint(&mut self, position: Position) -> Result<(), StoreError> {
        // All partitions start again from the one clock that is written, so none may be behind it.
        self.post(&Delivery { at: self.front.clock(), content: Content::Tick });
        let partitions = self.barrier();
        let Some(store) = self.store.clone() else { return Ok(()) };
        let mut batch = Batch::new();
        write_identity(&mut self.front, &mut batch);
        batch.set_log_position(position);
        let decisions = std::mem::take(&mut self.decisions);
        let seen = SeenCut { unsaved: self.front.take_unsaved(self.seen_max), position };
        Cut { batch, partitions, views: None, seen, decisions }.commit(&mut **store.lock())?;
        Ok(())
    }

    pub fn take_decisions(&mut self) -> Vec<Decision> {
        std::mem::take(&mut self.decisions)
    }

    pub fn front(&mut self) -> &mut Front {
        &mut self.front
    }

    /// Ends the threads; everything that was posted is done first.
    pub fn finish(mut self) -> (Front, Vec<Decision>) {
        self.barrier();
        let Threads { front, decisions, handles, orders, .. } = self;
        for order in orders {
            let _ = order.send(Order::Stop);
        }
        for handle in handles {
            if let Err(panic) = handle.join() {
                std::panic::resume_unwind(panic);
            }
        }
        (front, decisions)
    }
}

/// One partition's life: post in, post and decisions out.
fn run(mut partition: Partition, inbox: &Receiver<Order>, peers: &[Sender<Order>], report: &Sender<Report>) {
    let _watch = Watch(report);
    let mut barrier = false;
    loop {
        match inbox.recv() {
            Ok(Order::Parcel(parcel)) => {
                let of_front = parcel.from == FRONT;
                partition.receive(parcel);
                for (to, parcel) in partition.take_parcels(peers.len()) {
                    let _ = peers[to].send(Order::Parcel(parcel));
                }
                if of_front {
                    let decisions = std::mem::take(&mut partition.shard.output.decisions);
                    let _ = report.send(Report::Done { decisions });
                }
            }
            Ok(Order::Barrier) => barrier = true,
            Ok(Order::Stop) | Err(_) => return,
        }
        if barrier && partition.is_quiet() {
            barrier = false;
            let cut = PartitionCut::take(&mut partition);
            let decisions = std::mem::take(&mut partition.shard.output.decisions);
            let _ = report.send(Report::Quiet { cut, decisions });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Node, Options};
    use faden_engine::shard::Shard;
    use faden_engine::workspace::{Files, read};
    use faden_model::{Command, Event, Timestamp};
    use faden_storage::store::{Visit, VisitMany};
    use faden_storage::{Store, Table};
    use std::panic::AssertUnwindSafe;

    /// A store on a disk that has gone.
    struct Unreadable;

    impl Unreadable {
        fn failed<T>(table: Table) -> Result<T, StoreError> {
            Err(StoreError::Read { table, source: "the disk has gone".into() })
        }
    }

    impl Store for Unreadable {
        fn get(&self, table: Table, _: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            Unreadable::failed(table)
        }
        fn get_many(&self, table: Table, _: &[&[u8]], _: &mut VisitMany<'_>) -> Result<(), StoreError> {
            Unreadable::failed(table)
        }
        fn commit(&mut self, _: &Batch) -> Result<(), StoreError> {
            Err(StoreError::Stopped)
        }
        fn flush(&mut self) -> Result<(), StoreError> {
            Err(StoreError::Stopped)
        }
        fn scan(&self, table: Table, _: &[u8], _: &[u8], _: &mut Visit<'_>) -> Result<(), StoreError> {
            Unreadable::failed(table)
        }
        fn scan_back(&self, table: Table, _: &[u8], _: &[u8], _: &mut Visit<'_>) -> Result<(), StoreError> {
            Unreadable::failed(table)
        }
        fn view(&self) -> Box<dyn Store> {
            Box::new(Unreadable)
        }
        fn disk_bytes(&self) -> u64 {
            0
        }
    }

    #[test]
    fn the_panic_of_one_partition_ends_the_run_and_does_not_hang_it() {
        let text = "workspace: w\ncountry: DE\ntime_zone: UTC\nlanguages: [en]\n";
        let files = Files([("faden.yaml".to_owned(), text.to_owned())].into());
        let definitions = Arc::new(read(&files).definitions.expect("a workspace without anything is one"));
        let mut node = Node::in_memory(definitions, Options { partitions: 2, ..Options::default() });
        let store = SharedStore::new(Box::new(Unreadable));
        let shard = || Shard::new(node.index.clone(), Timestamp::MIN);
        node.partitions = (0..2).map(|number| Partition::new(number, shard(), Some(store.clone()))).collect();
        let line = r#"{"type":"track","event":"Seen","userId":"ada","messageId":"1"}"#;
        let record = Record { at: Timestamp(0), command: Command::Event(Event::parse(line, "DE").expect("a call")) };
        let run = || {
            std::thread::scope(|scope| {
                let mut threads = Threads::start(scope, node);
                threads.apply(vec![record]);
                threads.wait();
            });
        };
        let panic = std::panic::catch_unwind(AssertUnwindSafe(run)).expect_err("a profile cannot be read");
        assert!(panic.downcast_ref::<String>().is_some_and(|text| text.contains("store-read")), "it is the partition's own panic");
    }
}
