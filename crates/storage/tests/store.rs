//! One suite for every state store, and what each of them does over a crash.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod redb_store;

use faden_storage::{Batch, FjallStore, MemoryStore, Position, Store, StoreOptions, Table, snapshot};
use redb_store::RedbStore;
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

fn options(directory: &Path) -> StoreOptions {
    StoreOptions { directory: directory.to_owned(), cache_bytes: 8 << 20 }
}

/// Runs the same test on each store, new and empty.
fn on_every_store(test: impl Fn(&mut dyn Store)) {
    test(&mut MemoryStore::new());
    let directory = tempfile::tempdir().unwrap();
    test(&mut FjallStore::open(&options(&directory.path().join("fjall"))).unwrap());
    test(&mut RedbStore::open(&options(&directory.path().join("redb"))).unwrap());
}

/// Commits changes written as `table key value`, one per line; without a value it is deleted.
fn commit(store: &mut dyn Store, changes: &str) {
    let mut batch = Batch::new();
    for line in changes.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let table = Table::ALL.into_iter().find(|table| table.name() == words[0]).unwrap();
        match words.get(2) {
            Some(value) => batch.put(table, words[1].as_bytes(), value.as_bytes()),
            None => batch.delete(table, words[1].as_bytes()),
        }
    }
    store.commit(&batch).unwrap();
}

/// The rows of a range, as `key=value key=value`; at most `limit`.
fn scan(store: &dyn Store, table: Table, from: &str, until: &str, limit: usize) -> String {
    let mut rows = Vec::new();
    let mut visit = |key: &[u8], value: &[u8]| {
        rows.push(format!("{}={}", String::from_utf8_lossy(key), String::from_utf8_lossy(value)));
        if rows.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    store.scan(table, from.as_bytes(), until.as_bytes(), &mut visit).unwrap();
    if limit > rows.len() {
        // All of them: backwards they are the same, the other way round.
        let mut back = Vec::new();
        let mut visit = |key: &[u8], value: &[u8]| {
            back.push(format!("{}={}", String::from_utf8_lossy(key), String::from_utf8_lossy(value)));
            ControlFlow::Continue(())
        };
        store.scan_back(table, from.as_bytes(), until.as_bytes(), &mut visit).unwrap();
        back.reverse();
        assert_eq!(back, rows, "backwards, {from}..{until}");
    }
    rows.join(" ")
}

fn everything(store: &dyn Store) -> BTreeMap<(u8, Vec<u8>), Vec<u8>> {
    let mut all = BTreeMap::new();
    for table in Table::ALL {
        let mut visit = |key: &[u8], value: &[u8]| {
            all.insert((table.number(), key.to_vec()), value.to_vec());
            ControlFlow::Continue(())
        };
        store.scan(table, &[], &[], &mut visit).unwrap();
    }
    all
}

#[test]
fn a_batch_changes_many_tables_and_its_last_word_on_a_key_counts() {
    on_every_store(|store| {
        commit(store, "profiles a 1\n seen a 2\n profiles b 3\n profiles a 4\n profiles b\n due c\n due c 5");
        assert_eq!(scan(store, Table::Profiles, "", "", 9), "a=4");
        assert_eq!(scan(store, Table::Seen, "", "", 9), "a=2");
        assert_eq!(scan(store, Table::Due, "", "", 9), "c=5");
        commit(store, "profiles a\n profiles nothing\n seen a 6");
        assert_eq!(store.get(Table::Profiles, b"a").unwrap(), None);
        assert_eq!(store.get(Table::Seen, b"a").unwrap(), Some(b"6".to_vec()));
    });
}

#[test]
fn an_empty_value_is_not_an_absent_one() {
    on_every_store(|store| {
        let mut batch = Batch::new();
        batch.put(Table::Seen, b"id", b"");
        store.commit(&batch).unwrap();
        assert_eq!(store.get(Table::Seen, b"id").unwrap(), Some(Vec::new()));
        assert_eq!(store.get(Table::Seen, b"ix").unwrap(), None);
    });
}

#[test]
fn many_keys_are_answered_in_the_order_they_were_asked() {
    on_every_store(|store| {
        commit(store, "profiles a 1\n profiles b 2\n profiles c 3");
        let mut answers = Vec::new();
        let keys: [&[u8]; 4] = [b"c", b"x", b"a", b"a"];
        store.get_many(Table::Profiles, &keys, &mut |index, value| answers.push((index, value.map(<[u8]>::to_vec)))).unwrap();
        let one = Some(b"1".to_vec());
        assert_eq!(answers, [(0, Some(b"3".to_vec())), (1, None), (2, one.clone()), (3, one)]);
    });
}

#[test]
fn a_scan_keeps_its_bounds() {
    on_every_store(|store| {
        commit(store, "due a 1\n due b 2\n due bb 3\n due c 4\n outbox b 9\n decisions b 9");
        for (from, until, limit, found) in [
            ("", "", 9, "a=1 b=2 bb=3 c=4"),
            ("b", "c", 9, "b=2 bb=3"),
            ("b", "b", 9, ""),
            ("c", "b", 9, ""),
            ("bc", "", 9, "c=4"),
            ("", "bb", 9, "a=1 b=2"),
            ("", "", 2, "a=1 b=2"),
            ("d", "", 9, ""),
        ] {
            assert_eq!(scan(store, Table::Due, from, until, limit), found, "{from}..{until}");
        }
    });
}

/// Key number `number` of those that are filed, which stand between others.
fn filed(number: u64) -> [u8; 16] {
    (u128::from(number) << 96 | 1).to_be_bytes()
}

#[test]
fn filed_keys_stand_among_the_others_and_filing_them_again_changes_nothing() {
    on_every_store(|store| {
        let mut batch = Batch::new();
        (0..3_000).step_by(3).for_each(|number| batch.put(Table::Seen, &filed(number), &[]));
        store.commit(&batch).unwrap();
        for until in [1_500, 2_500, 2_500] {
            store.file(Table::Seen, &mut (0..until).map(filed)).unwrap();
        }
        batch.clear();
        batch.delete(Table::Seen, &filed(7));
        store.commit(&batch).unwrap();
        let is_there = |number: &u64| store.get(Table::Seen, &filed(*number)).unwrap().is_some();
        let expected: Vec<u64> =
            (0..3_100).filter(|number| *number != 7 && (*number < 2_500 || number % 3 == 0) && *number < 3_000).collect();
        assert_eq!((0..3_100).filter(is_there).collect::<Vec<_>>(), expected);
        assert_eq!(everything(store).len(), expected.len());
        store.file(Table::Due, &mut std::iter::empty()).unwrap();
    });
}

#[test]
fn the_log_position_is_part_of_the_batch() {
    on_every_store(|store| {
        assert_eq!(store.log_position().unwrap(), Position(0));
        let mut batch = Batch::new();
        batch.put(Table::Profiles, b"a", b"1");
        batch.set_log_position(Position(1 << 40));
        store.commit(&batch).unwrap();
        assert_eq!(store.log_position().unwrap(), Position(1 << 40));
    });
}

#[test]
fn many_random_batches_leave_what_a_plain_map_holds() {
    on_every_store(|store| {
        let mut plain = BTreeMap::new();
        let mut number = 1_u64;
        let mut next = |limit: u64| {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (number >> 33) % limit
        };
        for round in 0..200 {
            let mut batch = Batch::new();
            for _ in 0..next(40) {
                let table = Table::ALL[usize::try_from(next(13)).unwrap()];
                let key = next(50).to_be_bytes();
                if next(3) == 0 {
                    batch.delete(table, &key);
                    plain.remove(&(table.number(), key.to_vec()));
                } else {
                    let value = vec![u8::try_from(next(256)).unwrap(); usize::try_from(next(600)).unwrap()];
                    batch.put(table, &key, &value);
                    plain.insert((table.number(), key.to_vec()), value);
                }
            }
            store.commit(&batch).unwrap();
            if round % 50 == 49 {
                store.flush().unwrap();
                assert_eq!(everything(store), plain);
            }
        }
    });
}

/// Commit number `number`: the same number in several tables, so that a mixture of commits shows.
fn numbered(number: u64) -> Batch {
    let mut batch = Batch::new();
    for table in [Table::Profiles, Table::Seen, Table::Due] {
        batch.put(table, b"key", &number.to_be_bytes());
        batch.put(table, &number.to_be_bytes(), &[7; 300]);
    }
    batch.set_log_position(Position(number));
    batch
}

/// The commit after which the store is, if it is exactly after one.
fn after_commit(store: &dyn Store) -> u64 {
    let number = store.log_position().unwrap().0;
    for table in [Table::Profiles, Table::Seen, Table::Due] {
        let key = store.get(table, b"key").unwrap();
        assert_eq!(key, (number > 0).then(|| number.to_be_bytes().to_vec()), "{} at {number}", table.name());
        let mut rows = 0;
        store
            .scan(table, &[0], b"k", &mut |_, _| {
                rows += 1;
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(rows, number, "{}", table.name());
    }
    number
}

fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_killed_store_comes_back_after_some_commit_not_before_the_last_flush() {
    let directory = tempfile::tempdir().unwrap();
    type Open = fn(&Path) -> Box<dyn Store>;
    let engines: [(&str, Open); 2] = [
        ("fjall", |path| Box::new(FjallStore::open(&options(path)).unwrap())),
        ("redb", |path| Box::new(RedbStore::open(&options(path)).unwrap())),
    ];
    for (name, open) in engines {
        let live = directory.path().join(name);
        let mut store = open(&live);
        for number in 1..=40 {
            store.commit(&numbered(number)).unwrap();
            if number == 25 {
                store.flush().unwrap();
            }
        }
        let copy = directory.path().join(format!("{name}-copy"));
        copy_directory(&live, &copy);
        let found = after_commit(&*open(&copy));
        assert!((25..=40).contains(&found), "{name}: {found}");
    }
}

fn journal_of(directory: &Path) -> (PathBuf, usize) {
    let mut paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let journal = paths.find(|path| path.extension().is_some_and(|it| it == "jnl")).unwrap();
    let used = fs::read(&journal).unwrap().iter().rposition(|byte| *byte != 0).unwrap() + 1;
    (journal, used)
}

#[test]
fn a_fjall_store_comes_back_with_filed_keys_and_everything_before_them() {
    let directory = tempfile::tempdir().unwrap();
    let (live, copy) = (directory.path().join("live"), directory.path().join("copy"));
    let mut store = FjallStore::open(&options(&live)).unwrap();
    (1..=20).for_each(|number| store.commit(&numbered(number)).unwrap());
    store.file(Table::Outbox, &mut (0..5_000).map(filed)).unwrap();
    let (journal, used) = journal_of(&live);
    (21..=30).for_each(|number| store.commit(&numbered(number)).unwrap());
    copy_directory(&live, &copy);
    // What was committed after the filing is lost with the power.
    let mut bytes = fs::read(&journal).unwrap();
    bytes[used..].fill(0);
    fs::write(copy.join(journal.file_name().unwrap()), bytes).unwrap();
    let store = FjallStore::open(&options(&copy)).unwrap();
    assert_eq!(after_commit(&store), 20);
    assert!((0..5_000).all(|number| store.get(Table::Outbox, &filed(number)).unwrap().is_some()));
}

#[test]
fn a_closed_fjall_store_leaves_no_second_names() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = FjallStore::open(&options(directory.path())).unwrap();
    store.commit(&numbered(1)).unwrap();
    let leaving = directory.path().join("leaving");
    // Its journal gets a second name soon.
    while std::fs::read_dir(&leaving).is_ok_and(|names| names.count() == 0) || !leaving.exists() {
        std::thread::yield_now();
    }
    drop(store);
    assert_eq!(std::fs::read_dir(&leaving).unwrap().count(), 0);
    assert_eq!(after_commit(&FjallStore::open(&options(directory.path())).unwrap()), 1);
}

#[test]
fn a_fjall_journal_cut_or_holed_anywhere_leaves_a_prefix_or_refuses() {
    let directory = tempfile::tempdir().unwrap();
    let live = directory.path().join("live");
    let mut store = FjallStore::open(&options(&live)).unwrap();
    for number in 1..=20 {
        store.commit(&numbered(number)).unwrap();
    }
    let (journal, used) = journal_of(&live);
    let bytes = fs::read(&journal).unwrap();
    let mut outcomes = BTreeMap::new();
    for step in 0..8 {
        let place = used * step / 8;
        for hole in [false, true] {
            let copy = directory.path().join(format!("copy-{step}-{hole}"));
            copy_directory(&live, &copy);
            let mut damaged = bytes.clone();
            let end = if hole { used.min(place + 512) } else { damaged.len() };
            damaged[place..end].fill(0);
            fs::write(copy.join(journal.file_name().unwrap()), damaged).unwrap();
            let outcome = match FjallStore::open(&options(&copy)) {
                Ok(store) => after_commit(&store).to_string(),
                Err(error) => error.code().to_owned(),
            };
            *outcomes.entry(outcome).or_insert(0) += 1;
        }
    }
    assert!(outcomes.len() > 5, "{outcomes:?}");
    assert!(outcomes.keys().all(|outcome| outcome == "store-open" || outcome.parse::<u64>().is_ok()), "{outcomes:?}");
}

#[test]
fn a_store_in_memory_loses_what_a_crash_takes() {
    for keep in 0..=15 {
        let mut store = MemoryStore::crashable();
        for number in 1..=25 {
            store.commit(&numbered(number)).unwrap();
            if number == 10 {
                store.flush().unwrap();
            }
        }
        let after = store.clone();
        assert_eq!(store.unflushed_commits(), 15);
        store.crash(keep);
        assert_eq!(after_commit(&after), 10 + keep as u64);
    }
}

fn exported(store: &dyn Store) -> Vec<u8> {
    let mut bytes = Vec::new();
    snapshot::export(store, &mut bytes).unwrap();
    bytes
}

#[test]
fn a_snapshot_carries_every_store_into_every_other() {
    on_every_store(|store| {
        for number in 1..=150 {
            store.commit(&numbered(number)).unwrap();
        }
        let bytes = exported(store);
        on_every_store(|other| {
            let summary = snapshot::import(other, &mut &bytes[..]).unwrap();
            assert_eq!((summary.position, summary.rows), (Position(150), 454));
            assert_eq!(after_commit(other), 150);
            assert_eq!(exported(other), bytes);
            assert_eq!(snapshot::import(other, &mut &bytes[..]).unwrap_err().code(), "store-snapshot-not-empty");
        });
    });
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_snapshot_is_found() {
    let mut store = MemoryStore::new();
    commit(&mut store, "profiles a 1\n seen bb 22\n due c 3");
    let bytes = exported(&store);
    let import = |bytes: &[u8]| {
        let mut store = MemoryStore::new();
        let result = snapshot::import(&mut store, &mut &bytes[..]);
        (result.map_err(|error| error.code()), everything(&store).is_empty())
    };
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(import(&flipped), (Err("store-snapshot-broken"), true), "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert_eq!(import(&bytes[..length]), (Err("store-snapshot-broken"), true), "length {length}");
    }
}

#[test]
fn a_store_that_was_half_imported_is_refused() {
    let mut store = MemoryStore::new();
    let mut batch = Batch::new();
    for number in 0..200_u64 {
        batch.put(Table::Profiles, &number.to_be_bytes(), &vec![1; 50_000]);
    }
    batch.set_log_position(Position(9));
    store.commit(&batch).unwrap();
    let bytes = exported(&store);
    let mut half = MemoryStore::new();
    let error = snapshot::import(&mut half, &mut &bytes[..bytes.len() - 20]).unwrap_err();
    assert_eq!(error.code(), "store-snapshot-broken");
    assert!(!everything(&half).is_empty(), "some of it was committed");
    assert_eq!(half.log_position().unwrap_err().code(), "store-corrupt");
}

/// Written by version 1 and checked in: it must read for ever, and be written alike as long as version 1 is written.
#[test]
fn a_snapshot_of_version_1_reads_for_ever() {
    let mut store = MemoryStore::new();
    for number in 1..=3 {
        store.commit(&numbered(number)).unwrap();
    }
    commit(&mut store, "identity email:ada@example.com prf_1\n facts f 1\n definitions d 2");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/store-v1.snapshot");
    let written = exported(&store);
    if std::env::var_os("FADEN_WRITE_GOLDEN").is_some() {
        fs::write(&golden, &written).unwrap();
    }
    let bytes = fs::read(golden).unwrap();
    let mut read = MemoryStore::new();
    let summary = snapshot::import(&mut read, &mut &bytes[..]).unwrap();
    assert_eq!((summary.position, summary.rows), (Position(3), 16));
    assert_eq!(everything(&read), everything(&store));
    assert!(bytes == written, "the same rows give the same bytes");
}
