use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::thread;

use proptest::prelude::*;

use super::*;
use crate::document::item::Item;
use crate::document::slice::Slice;

/// A partition that its number identifies; with number zero, it is empty.
fn partition(name: &str, number: u64) -> Partition {
    let entry = || Arc::new(Item::stored(Slice::whole("k".into()).unwrap(), Slice::whole("{}".into()).unwrap()));
    let accounts = if number > 0 { vec![entry()] } else { Vec::new() };
    Draft { number, accounts, ..Draft::default() }.finish(name.into())
}

fn number(partitions: &Partitions, name: &str) -> Option<u64> {
    partitions.get(name, |partition| partition.number)
}

fn slots(partitions: &Partitions) -> usize {
    partitions.table.load().slots.len()
}

proptest! {
    #[test]
    fn it_behaves_like_a_map(changes in proptest::collection::vec(("[a-e]{0,2}", 0_u64..4), 0..300), given in 0_usize..20) {
        let mut model: BTreeMap<String, u64> = changes.iter().take(given).filter(|(_, number)| *number > 0).cloned().collect();
        let drafts = model.iter().map(|(name, number)| (name.as_str().into(), partition(name, *number).draft()));
        let (partitions, size) = Partitions::from_drafts(drafts.collect());
        prop_assert_eq!(size.entries, model.len());
        for (name, new) in changes {
            partitions.set(partition(&name, new));
            match new {
                0 => model.remove(&name),
                new => model.insert(name.clone(), new),
            };
            prop_assert_eq!(number(&partitions, &name), model.get(&name).copied());
            prop_assert_eq!(partitions.len(), model.len());
        }
        let all = partitions.all().iter().map(|partition| (partition.name.to_string(), partition.number)).collect();
        prop_assert_eq!(&model, &all);
        for name in ["", "a", "e", "bc", "missing"] {
            prop_assert_eq!(number(&partitions, name), model.get(name).copied());
        }
    }
}

#[test]
fn names_that_come_and_go_do_not_grow_the_table() {
    let partitions = Partitions::default();
    assert_eq!((slots(&partitions), number(&partitions, "0")), (0, None));
    for round in 0..20_000_u64 {
        partitions.set(partition(&round.to_string(), 1));
        if let Some(old) = round.checked_sub(100) {
            partitions.set(partition(&old.to_string(), 0));
        }
    }
    assert_eq!(partitions.all().len(), 100);
    assert!(slots(&partitions) <= 256, "{}", slots(&partitions));
}

// Its secrets go with it (S-109).
#[test]
fn a_replaced_partition_is_dropped_at_once() {
    let partitions = Partitions::default();
    partitions.set(partition("a", 1));
    let old = Arc::downgrade(&partitions.all()[0]);
    partitions.get("a", |_| partitions.set(partition("a", 2)));
    assert!(old.upgrade().is_none());
    assert_eq!(number(&partitions, "a"), Some(2));
}

#[test]
fn readers_find_a_partition_while_others_come_and_go() {
    let partitions = Partitions::default();
    (0..50).for_each(|stays| partitions.set(partition(&format!("stays{stays}"), 1)));
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = || {
            let mut last = [1; 50];
            while !over.load(Ordering::Relaxed) {
                for (stays, last) in last.iter_mut().enumerate() {
                    let number = number(&partitions, &format!("stays{stays}")).unwrap();
                    assert!(number >= *last, "{number} after {last}");
                    *last = number;
                }
            }
        };
        let readers = [scope.spawn(reader), scope.spawn(reader)];
        for round in 0..5_000_u64 {
            partitions.set(partition(&format!("goes{round}"), 1));
            partitions.set(partition(&format!("stays{}", round % 50), 2 + round));
            partitions.set(partition(&format!("goes{}", round / 2), 0));
        }
        over.store(true, Ordering::Relaxed);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
}
