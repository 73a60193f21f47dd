//! The index of messages.

use super::room::{Room, open};
use super::{group, text, user};
use crate::channel::LogKind;
use crate::id::{MessageId, Realm};
use crate::im::Stores;
use crate::search::{DocChange, IndexQuery, SearchDoc, Within, terms, words};

/// The cases of the index of messages, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! search_contract {
    ($make:path) => {
        $crate::contract_tests!($make, searching:
            words_are_found_in_all_scripts,
            it_is_looked_for_where_it_is_asked,
            what_is_replaced_or_removed_is_not_found,
            only_what_is_there_is_taken_in,
            an_index_begins_anew,
        );
    };
}

/// Says a text and indexes it.
async fn say(room: &Room<'_>, said: &str) -> SearchDoc {
    let item = super::append(&room.log, &room.alice, text("x"));
    let log = &room.stores.log;
    super::store(&**log, vec![item]).await;
    let head = log.last_id().await.expect("an id");
    let doc = SearchDoc {
        id: head,
        realm: room.log.key.realm.clone(),
        channel: room.log.num,
        sender: room.alice.num,
        kind: "text".to_owned(),
        words: words_of(said),
    };
    put(room.stores, &doc).await;
    doc
}

fn words_of(text: &str) -> Vec<String> {
    words(text).into_iter().map(|word| word.text).collect()
}

async fn put(stores: &Stores, doc: &SearchDoc) {
    let put = stores.search.apply(vec![DocChange::Put(doc.clone())]).await;
    put.expect("applied");
}

fn ask(question: &str) -> IndexQuery {
    IndexQuery {
        within: Within::Realm(Realm::default()),
        terms: terms(question),
        sender: None,
        kind: None,
        from: MessageId(0),
        before: MessageId(i64::MAX),
        limit: 100,
    }
}

async fn found(stores: &Stores, query: IndexQuery) -> Vec<MessageId> {
    let found = stores.search.find(query).await.expect("found");
    found.into_iter().map(|found| found.id).collect()
}

/// Words, parts of what has no spaces, beginnings; newest first.
pub async fn words_are_found_in_all_scripts(stores: &Stores) {
    let room = Room::new(stores).await;
    let english = say(&room, "Hello, wonderful World").await.id;
    let chinese = say(&room, "明天下午三点开会").await.id;
    let mixed = say(&room, "hello 开会 Привет").await.id;
    for (question, expected) in [
        ("hello", vec![mixed, english]),
        ("WORLD hello", vec![english]),
        ("wonder", vec![english]),
        ("wonder ", vec![]),
        ("onder", vec![]),
        ("开会", vec![mixed, chinese]),
        ("下午三点", vec![chinese]),
        ("三点下午", vec![]),
        ("会", vec![mixed, chinese]),
        ("午", vec![chinese]),
        ("привет", vec![mixed]),
        ("hello 开会", vec![mixed]),
        ("nothing", vec![]),
    ] {
        assert_eq!(found(stores, ask(question)).await, expected, "{question}");
    }
    // The language of the index has no meaning here.
    for odd in ["OR", "NEAR", "place", "a AND", "\"", "*", "words : x", "-x"] {
        found(stores, ask(odd)).await;
    }
}

/// By realm, channel, sender, type and place, with a limit.
pub async fn it_is_looked_for_where_it_is_asked(stores: &Stores) {
    let room = Room::new(stores).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(say(&room, "same words").await.id);
    }
    ids.reverse();
    let all = || ask("same");
    assert_eq!(found(stores, all()).await, ids);
    let limited = IndexQuery { limit: 2, ..all() };
    assert_eq!(found(stores, limited).await, ids[..2]);
    let older = IndexQuery {
        before: ids[1],
        from: ids[3],
        ..all()
    };
    assert_eq!(found(stores, older).await, ids[2..4]);
    let place = room.log.num;
    let other = open(stores, &group("other"), LogKind::Chat).await.num;
    for (channels, expected) in [
        (vec![place], 5),
        (vec![other], 0),
        (vec![], 0),
        (vec![other, place], 5),
    ] {
        let within = Within::Channels(channels.clone());
        let found = found(stores, IndexQuery { within, ..all() }).await;
        assert_eq!(found.len(), expected, "{channels:?}");
    }
    let mut many: Vec<_> = (0..200)
        .map(|n| crate::id::ChannelNum(1_000_000 + n))
        .collect();
    many.push(place);
    let within = Within::Channels(many);
    assert_eq!(found(stores, IndexQuery { within, ..all() }).await.len(), 5);
    let realm = Within::Realm(Realm::parse("elsewhere").expect("a realm"));
    let elsewhere = IndexQuery {
        within: realm,
        ..all()
    };
    assert!(found(stores, elsewhere).await.is_empty());
    for (sender, expected) in [(room.alice.num, 5), (room.bob.num, 0)] {
        let by = IndexQuery {
            sender: Some(sender),
            ..all()
        };
        assert_eq!(found(stores, by).await.len(), expected);
    }
    for (kind, expected) in [("text", 5), ("image", 0)] {
        let of = IndexQuery {
            kind: Some(kind.to_owned()),
            terms: Vec::new(),
            ..all()
        };
        assert_eq!(found(stores, of).await.len(), expected, "{kind}");
    }
    let hit = stores.search.find(all()).await.expect("found")[0];
    assert_eq!((hit.channel, hit.seq), (place, 5));
}

/// A message says one thing at a time, and nothing once it is removed.
pub async fn what_is_replaced_or_removed_is_not_found(stores: &Stores) {
    let room = Room::new(stores).await;
    let mut doc = say(&room, "before").await;
    doc.words = words_of("after");
    put(stores, &doc).await;
    put(stores, &doc).await;
    assert!(found(stores, ask("before")).await.is_empty());
    assert_eq!(found(stores, ask("after")).await, [doc.id]);
    let remove = vec![DocChange::Remove(doc.id), DocChange::Remove(MessageId(1))];
    stores.search.apply(remove).await.expect("applied");
    assert!(found(stores, ask("after")).await.is_empty());
    put(stores, &doc).await;
    assert_eq!(found(stores, ask("after")).await, [doc.id]);
}

/// What is revoked, or was never there, is not to be found.
pub async fn only_what_is_there_is_taken_in(stores: &Stores) {
    let room = Room::new(stores).await;
    let doc = say(&room, "secret").await;
    room.revoke(1).await;
    put(stores, &doc).await;
    let nowhere = SearchDoc {
        id: MessageId(doc.id.0 + 1),
        ..doc
    };
    put(stores, &nowhere).await;
    assert!(found(stores, ask("secret")).await.is_empty());
}

/// An index may be cleared and filled again.
pub async fn an_index_begins_anew(stores: &Stores) {
    let room = Room::new(stores).await;
    let bob = user(&*stores.directory, "bob").await;
    assert_eq!(bob, room.bob);
    let doc = say(&room, "again").await;
    stores.search.clear().await.expect("cleared");
    assert!(found(stores, ask("again")).await.is_empty());
    put(stores, &doc).await;
    assert_eq!(found(stores, ask("again")).await, [doc.id]);
}
