//! What moderators and operators keep.

use crate::admin::{
    AuditEntry, AuditQuery, BanTarget, ChoreKind, ChoreState, Forgotten, Held, NewBan, NewChore,
    NewReport, PersonFilter, ReportKind, Resolution, ReviewState, Traces, Word, WordAction,
};
use crate::change::Change;
use crate::channel::{Address, ChannelKey, LogKind};
use crate::contract::{append, group, numbered, store, text, user};
use crate::directory::UserChange;
use crate::id::{MessageId, Realm, Uid, UserNum, UserRef};
use crate::im::Stores;
use crate::log::AppendOutcome;
use crate::message::{Accepted, Flags, Gone};

/// The cases, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! admin_contract {
    ($make:path) => {
        $crate::contract_tests!($make, admin:
            words_are_added_changed_and_removed,
            what_is_held_comes_back_as_it_was,
            delivered_messages_come_into_the_queue_once,
            an_edited_message_comes_into_the_queue_again,
            an_entry_is_settled_once,
            bans_are_put_and_lifted,
            reports_are_bounded_and_resolved_once,
            acts_are_found_by_what_they_are,
            work_goes_on_where_it_was,
            people_are_listed_by_what_they_are,
            what_a_user_sent_is_found,
            what_the_log_has_of_a_user_is_found,
            nothing_is_left_of_who_was_purged,
            messages_are_counted_once,
        );
    };
}

fn elsewhere() -> Realm {
    Realm::parse("other").expect("a realm")
}

fn word(word: &str, action: WordAction) -> Word {
    Word {
        num: 0,
        word: word.to_owned(),
        action,
        added_at_ms: 7,
    }
}

/// Each realm has its own; a word is there once.
pub async fn words_are_added_changed_and_removed(stores: &Stores) {
    let (words, realm) = (&stores.admin.words, Realm::default());
    let names = async |realm: &Realm, action| {
        let found = words.words(realm, action, 0, 9).await.expect("words");
        let name = |word: Word| (word.word, word.action);
        found.into_iter().map(name).collect::<Vec<_>>()
    };
    let some = [word("a", WordAction::Reject), word("b", WordAction::Mask)];
    assert_eq!(
        words.add_words(&realm, &some).await.expect("added"),
        Some(2)
    );
    let again = [word("b", WordAction::Review), word("c", WordAction::Review)];
    assert_eq!(
        words.add_words(&realm, &again).await.expect("added"),
        Some(2),
        "one is new, one has another action"
    );
    assert_eq!(
        words.add_words(&realm, &again).await.expect("added"),
        Some(0)
    );
    let other = [word("a", WordAction::Mask)];
    words.add_words(&elsewhere(), &other).await.expect("added");
    let all = [
        ("a".to_owned(), WordAction::Reject),
        ("b".to_owned(), WordAction::Review),
        ("c".to_owned(), WordAction::Review),
    ];
    assert_eq!(names(&realm, None).await, all);
    assert_eq!(names(&realm, Some(WordAction::Review)).await, all[1..]);
    let first = words.words(&realm, None, 0, 1).await.expect("words");
    let rest = words.words(&realm, None, first[0].num, 9).await;
    assert_eq!(rest.expect("words").len(), 2);
    let gone = ["a".to_owned(), "x".to_owned()];
    assert_eq!(words.remove_words(&realm, &gone).await.expect("removed"), 1);
    assert_eq!(names(&realm, None).await, all[1..]);
    assert_eq!(names(&elsewhere(), None).await.len(), 1);
    let mut realms = words.worded_realms().await.expect("realms");
    realms.sort();
    assert_eq!(realms, [realm, elsewhere()]);
}

/// With everything that it carries; a retry is not held twice.
pub async fn what_is_held_comes_back_as_it_was(stores: &Stores) {
    let reviews = &stores.admin.reviews;
    let sender = user(&*stores.directory, "alice").await;
    let mut body = numbered("n", "odd");
    body.tag = "t".into();
    body.expire_secs = 9;
    body.extra = Some("{}".into());
    body.audience = Some([UserNum(3), UserNum(4)].into());
    let held = Held {
        sender,
        key: group("g"),
        body,
        at_ms: 5,
    };
    assert!(reviews.hold(&held).await.expect("held"));
    assert!(reviews.hold(&held).await.expect("held"), "again");
    let realm = Realm::default();
    let pending = reviews.reviews(&realm, ReviewState::Pending, 0, 9).await;
    let pending = pending.expect("reviews");
    assert_eq!(pending.len(), 1);
    assert_eq!((&pending[0].held, pending[0].message), (&held, None));
    let none = reviews.review(&elsewhere(), pending[0].num).await;
    assert_eq!(none.expect("a review"), None);
    // Without a number nobody knows a retry.
    let mut unnumbered = held.clone();
    unnumbered.body.client_no = "".into();
    for _ in 0..2 {
        reviews.hold(&unnumbered).await.expect("held");
    }
    let pending = reviews.reviews(&realm, ReviewState::Pending, 0, 9).await;
    assert_eq!(pending.expect("reviews").len(), 3);
}

/// Those that say that they want to be looked at, and no others.
pub async fn delivered_messages_come_into_the_queue_once(stores: &Stores) {
    let sender = user(&*stores.directory, "alice").await;
    let channel = stores.channels.open(&group("g"), LogKind::Chat, true).await;
    let channel = channel.expect("open").expect("a channel");
    let mut odd = text("odd");
    odd.flags.review = true;
    let batch = vec![
        append(&channel, &sender, text("fine")),
        append(&channel, &sender, odd.clone()),
    ];
    store(&*stores.log, batch).await;
    let reviews = &stores.admin.reviews;
    let pending = async || {
        let realm = Realm::default();
        let found = reviews.reviews(&realm, ReviewState::Pending, 0, 9);
        found.await.expect("reviews")
    };
    let first = pending().await;
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].held.key, group("g"));
    assert_eq!(first[0].held.sender, sender);
    let id = first[0].message.expect("a message");
    let message = stores.log.by_id(id).await.expect("by id").expect("there");
    assert_eq!(&message.body.payload[..], b"odd");
    assert_eq!(&first[0].held.body.payload[..], b"odd");
    assert!(message.body.flags.review);
    assert_eq!(pending().await, first);
    // What is taken back before anybody looks is evidence all the same.
    let more = vec![append(&channel, &sender, odd)];
    let [AppendOutcome::Stored { id, .. }] = store(&*stores.log, more).await[..] else {
        panic!("it is new")
    };
    let erased = stores.log.erase(id, None, Gone::Revoked).await;
    erased.expect("erased");
    let all = pending().await;
    assert_eq!(all.len(), 2);
    assert_eq!(&all[1].held.body.payload[..], b"odd");
}

/// A message that says something else is looked at, and again after it was decided on.
pub async fn an_edited_message_comes_into_the_queue_again(stores: &Stores) {
    let sender = user(&*stores.directory, "alice").await;
    let channel = stores.channels.open(&group("g"), LogKind::Chat, true).await;
    let channel = channel.expect("open").expect("a channel");
    let batch = vec![append(&channel, &sender, text("fine"))];
    let [AppendOutcome::Stored { id, .. }] = store(&*stores.log, batch).await[..] else {
        panic!("it is new")
    };
    let reviews = &stores.admin.reviews;
    let pending = async || {
        let realm = Realm::default();
        let found = reviews.reviews(&realm, ReviewState::Pending, 0, 9);
        found.await.expect("reviews")
    };
    assert_eq!(pending().await, []);
    for round in 0..2 {
        for _ in 0..2 {
            let says = text(&format!("odd {round}"));
            reviews.reopen(id, &says).await.expect("reopened");
        }
        let found = pending().await;
        assert_eq!(found.len(), 1, "round {round}");
        assert_eq!(
            (found[0].message, &found[0].held.key),
            (Some(id), &group("g"))
        );
        let said = &found[0].held.body.payload;
        assert_eq!(said[..], format!("odd {round}").into_bytes()[..]);
        let settled = reviews.settle_review(found[0].num, ReviewState::Approved, "m", "", None);
        assert!(settled.await.expect("settled"));
        assert_eq!(pending().await, []);
    }
}

/// Of two who decide the first counts.
pub async fn an_entry_is_settled_once(stores: &Stores) {
    let reviews = &stores.admin.reviews;
    let held = Held {
        sender: user(&*stores.directory, "alice").await,
        key: group("g"),
        body: numbered("n", "odd"),
        at_ms: 5,
    };
    reviews.hold(&held).await.expect("held");
    assert_eq!(reviews.decided(&held).await.expect("none"), None);
    let realm = Realm::default();
    let found = reviews.reviews(&realm, ReviewState::Pending, 0, 9).await;
    let num = found.expect("reviews")[0].num;
    let sent = Accepted {
        id: MessageId(7),
        seq: 3,
        sent_at_ms: 9,
        is_new: true,
    };
    let settle = async |state, by: &str| {
        let settled = reviews.settle_review(num, state, by, "note", Some(sent));
        settled.await.expect("settled")
    };
    assert!(settle(ReviewState::Approved, "one").await);
    assert!(!settle(ReviewState::Rejected, "two").await);
    let review = reviews.review(&realm, num).await.expect("a review");
    let review = review.expect("there");
    assert_eq!(review.state, ReviewState::Approved);
    assert_eq!(review.sent, Some(sent));
    let decided = reviews.decided(&held).await.expect("decided");
    assert_eq!(decided.as_ref(), Some(&review));
    assert_eq!(review.settled_by.as_deref(), Some("one"));
    assert_eq!(review.note.as_deref(), Some("note"));
    assert!(review.settled_at_ms.is_some());
    let left = reviews.reviews(&realm, ReviewState::Pending, 0, 9).await;
    assert_eq!(left.expect("reviews"), []);
}

/// Said again, the reason and the end change.
pub async fn bans_are_put_and_lifted(stores: &Stores) {
    let bans = &stores.admin.bans;
    let ban = |target: BanTarget, until_ms| NewBan {
        realm: Realm::default(),
        target,
        reason: "why".to_owned(),
        until_ms,
        by: "admin".to_owned(),
    };
    let device = BanTarget::Device("d".to_owned());
    let alice = BanTarget::User(Uid::parse("d").expect("a uid"));
    let put = async |ban: NewBan| bans.put_ban(&ban).await.expect("put").expect("room");
    let first = put(ban(device.clone(), None)).await;
    let other = put(ban(alice, Some(9))).await;
    let again = put(ban(device.clone(), Some(5))).await;
    assert_eq!((first.num, again.ban.until_ms), (again.num, Some(5)));
    let all = bans.bans(&Realm::default(), 0, 9).await.expect("bans");
    assert_eq!(all, [again.clone(), other.clone()]);
    assert_eq!(bans.all_bans().await.expect("bans"), all);
    let after = bans.bans(&Realm::default(), again.num, 9).await;
    assert_eq!(after.expect("bans"), [other]);
    assert_eq!(bans.bans(&elsewhere(), 0, 9).await.expect("bans"), []);
    let none = bans.ban(&elsewhere(), again.num).await.expect("a ban");
    assert_eq!(none, None);
    let lifted = bans.remove_ban(&Realm::default(), &device).await;
    assert_eq!(lifted.expect("lifted"), Some(again));
    let lifted = bans.remove_ban(&Realm::default(), &device).await;
    assert_eq!(lifted.expect("lifted"), None);
}

/// As many a day as there may be.
pub async fn reports_are_bounded_and_resolved_once(stores: &Stores) {
    let reports = &stores.admin.reports;
    let report = NewReport {
        realm: Realm::default(),
        reporter: user(&*stores.directory, "alice").await,
        kind: ReportKind::User,
        target: "bob".to_owned(),
        about: Some(UserNum(7)),
        reason: "abuse".to_owned(),
        text: "…".to_owned(),
        said: Some(text("you fool").evidence()),
    };
    let mut filed = Vec::new();
    for _ in 0..crate::admin::MAX_REPORTS_A_DAY {
        let report = reports.file_report(&report).await.expect("filed");
        filed.push(report.expect("not too many"));
    }
    assert_eq!(reports.file_report(&report).await.expect("filed"), None);
    let mut of_bob = report.clone();
    of_bob.reporter = user(&*stores.directory, "bob").await;
    let of_bob = reports.file_report(&of_bob).await.expect("filed");
    filed.push(of_bob.expect("another's"));
    let realm = Realm::default();
    let open = reports.list_reports(&realm, true, 0, 99).await;
    assert_eq!(open.expect("reports"), filed);
    let num = filed[1].num;
    let resolve = async |action| {
        let resolved = reports.resolve_report(num, action, "me", "note");
        resolved.await.expect("resolved")
    };
    assert!(resolve(Resolution::Warn).await);
    assert!(!resolve(Resolution::BanUser).await);
    let one = reports.get_report(&realm, num).await.expect("a report");
    let one = one.expect("there");
    assert_eq!(one.action, Some(Resolution::Warn));
    assert_eq!(one.report, report);
    let resolved = reports.list_reports(&realm, false, 0, 9).await;
    assert_eq!(resolved.expect("reports"), [one]);
    let none = reports.get_report(&elsewhere(), num).await;
    assert_eq!(none.expect("a report"), None);
}

/// By each of the rules, newest first.
pub async fn acts_are_found_by_what_they_are(stores: &Stores) {
    let audit = &stores.admin.audit;
    let entry = |realm: Option<Realm>, actor: &str, target: &str| AuditEntry {
        realm,
        actor: actor.to_owned(),
        action: "POST /v1/bans".to_owned(),
        target: target.to_owned(),
        outcome: 201,
        address: "::1".to_owned(),
        note: "n".to_owned(),
        subjects: vec![format!("{target}-1"), "both".to_owned()],
        asked: r#"{"reason":"x"}"#.to_owned(),
    };
    let entries = [
        entry(Some(Realm::default()), "admin", "a"),
        entry(Some(elsewhere()), "app:x", "b"),
        entry(None, "admin", "c"),
    ];
    for entry in &entries {
        audit.log_act(entry).await.expect("logged");
    }
    let find = async |query: AuditQuery| {
        let query = AuditQuery { limit: 9, ..query };
        let found = audit.acts(&query).await.expect("acts");
        found
            .into_iter()
            .map(|act| act.entry.target)
            .collect::<Vec<_>>()
    };
    let all = AuditQuery::default();
    assert_eq!(find(all.clone()).await, ["c", "b", "a"]);
    let text = |text: &str| Some(text.to_owned());
    let of_realm = AuditQuery {
        realm: Some(elsewhere()),
        ..all.clone()
    };
    assert_eq!(find(of_realm).await, ["b"]);
    let by = AuditQuery {
        actor: text("admin"),
        ..all.clone()
    };
    assert_eq!(find(by.clone()).await, ["c", "a"]);
    let about = AuditQuery {
        target: text("a"),
        action: text("POST /v1/bans"),
        ..by
    };
    assert_eq!(find(about).await, ["a"]);
    let concerning = |subject: &str| AuditQuery {
        target: text(subject),
        ..all.clone()
    };
    assert_eq!(find(concerning("b-1")).await, ["b"]);
    assert_eq!(find(concerning("both")).await, ["c", "b", "a"]);
    assert!(find(concerning("d")).await.is_empty());
    let newest = audit
        .acts(&AuditQuery {
            limit: 1,
            ..all.clone()
        })
        .await;
    let newest = newest.expect("acts").remove(0);
    assert_eq!(newest.entry, entries[2]);
    let older = AuditQuery {
        before: Some(newest.num),
        ..all.clone()
    };
    assert_eq!(find(older).await, ["b", "a"]);
    let since = AuditQuery {
        since_ms: Some(newest.at_ms + 1),
        ..all.clone()
    };
    assert!(find(since).await.is_empty());
    assert_eq!(audit.drop_acts(newest.at_ms).await.expect("dropped"), 0);
    assert_eq!(audit.drop_acts(newest.at_ms + 1).await.expect("dropped"), 3);
    assert!(find(all).await.is_empty());
}

/// What was called off is not gone on with; output stays.
pub async fn work_goes_on_where_it_was(stores: &Stores) {
    let chores = &stores.admin.chores;
    let alice = user(&*stores.directory, "alice").await;
    let new = |kind, user| NewChore {
        realm: Realm::default(),
        kind,
        user,
        spec: "{}".to_owned(),
        total: 9,
        by: "admin".to_owned(),
    };
    let add = async |new: NewChore| {
        let added = chores.add_chore(&new).await.expect("added");
        added.expect("room")
    };
    let export = add(new(ChoreKind::Export, Some(alice.clone()))).await;
    let same = add(new(ChoreKind::Export, Some(alice.clone()))).await;
    assert_eq!(same.num, export.num, "it is open already");
    let said = add(new(ChoreKind::Broadcast, None)).await;
    let again = add(new(ChoreKind::Broadcast, None)).await;
    assert!(again.num > said.num);
    let mut on = export.clone();
    on.state = ChoreState::Running;
    on.done = 3;
    on.place = "p".to_owned();
    let output = Some((0, b"line\n".to_vec()));
    assert!(chores.save_chore(&on, output).await.expect("saved"));
    assert_eq!(
        chores.chore(on.num).await.expect("a chore"),
        Some(on.clone())
    );
    let mut elsewhere = new(ChoreKind::Broadcast, None);
    elsewhere.realm = Realm::parse("elsewhere").expect("a realm");
    let elsewhere = add(elsewhere).await;
    let open = chores.open_chores(ChoreKind::Broadcast, 9).await;
    let by_turns = [said.clone(), elsewhere, again.clone()];
    assert_eq!(open.expect("open"), by_turns, "no realm holds up another");
    let open = chores.open_chores(ChoreKind::Export, 9).await;
    assert_eq!(open.expect("open"), std::slice::from_ref(&on));
    assert!(chores.cancel_chore(said.num).await.expect("cancelled"));
    assert!(!chores.cancel_chore(said.num).await.expect("cancelled"));
    let saved = chores.save_chore(&said, None).await;
    assert!(!saved.expect("saved"), "it was called off");
    let realm = Realm::default();
    let newest = chores.chores(&realm, ChoreKind::Broadcast, None, 1);
    assert_eq!(newest.await.expect("chores"), std::slice::from_ref(&again));
    let older = chores.chores(&realm, ChoreKind::Broadcast, Some(again.num), 9);
    assert_eq!(older.await.expect("chores")[0].state, ChoreState::Cancelled);
    on.state = ChoreState::Done;
    assert!(chores.save_chore(&on, None).await.expect("saved"));
    let about = chores.chore_about(ChoreKind::Export, alice.num).await;
    assert_eq!(about.expect("a chore"), Some(on.clone()));
    let piece = async |n| chores.output(on.num, n).await.expect("output");
    assert_eq!(piece(0).await.as_deref(), Some(&b"line\n"[..]));
    assert_eq!(piece(1).await, None);
    let dropped = chores.drop_output(on.updated_at_ms).await;
    dropped.expect("kept");
    assert!(piece(0).await.is_some());
    let dropped = chores.drop_output(on.updated_at_ms + 1).await;
    dropped.expect("dropped");
    assert_eq!(piece(0).await, None);
}

/// Those that exist.
pub async fn people_are_listed_by_what_they_are(stores: &Stores) {
    let (census, realm) = (&stores.admin.census, Realm::default());
    user(&*stores.directory, "nobody").await;
    let put = async |uid: &str, change: UserChange| {
        let uid = Uid::parse(uid).expect("a uid");
        let change = UserChange {
            exists: Some(true),
            ..change
        };
        let put = stores.directory.put_user(&realm, &uid, &change).await;
        put.expect("put").user.num
    };
    let alice = put("alice", UserChange::default()).await;
    let ban = UserChange {
        ban: Some(true),
        staff: Some(true),
        ..UserChange::default()
    };
    let bob = put("bob", ban).await;
    let tags = ["vip".to_owned(), "a".to_owned()];
    census.set_tags(&realm, alice, &tags).await.expect("tags");
    let find = async |filter: PersonFilter| {
        let found = census.people(&realm, &filter, UserNum(0), 9).await;
        let found = found.expect("people").into_iter();
        found.map(|it| it.record.user.num).collect::<Vec<_>>()
    };
    let all = PersonFilter::default();
    assert_eq!(find(all.clone()).await, [alice, bob]);
    let tagged = PersonFilter {
        tag: Some("vip".to_owned()),
        ..all.clone()
    };
    assert_eq!(find(tagged.clone()).await, [alice]);
    let banned = |ban| PersonFilter {
        ban: Some(ban),
        ..all.clone()
    };
    assert_eq!(find(banned(true)).await, [bob]);
    assert_eq!(find(banned(false)).await, [alice]);
    let staff = PersonFilter {
        staff: Some(true),
        ..all.clone()
    };
    assert_eq!(find(staff).await, [bob]);
    let system = |system| PersonFilter {
        system: Some(system),
        ..all.clone()
    };
    assert_eq!(find(system(true)).await, []);
    assert_eq!(find(system(false)).await, [alice, bob]);
    let prefix = PersonFilter {
        prefix: Some("al".to_owned()),
        ..all.clone()
    };
    assert_eq!(find(prefix).await, [alice]);
    let after = census.people(&realm, &all, alice, 9).await.expect("people");
    assert_eq!(after.len(), 1);
    assert_eq!(census.tags(alice).await.expect("tags"), ["a", "vip"]);
    let count = async |tag: Option<&str>| {
        let count = census.count_people(&realm, tag).await;
        count.expect("counted")
    };
    assert_eq!((count(None).await, count(Some("vip")).await), (2, 1));
    census.set_tags(&realm, alice, &[]).await.expect("tags");
    assert!(find(tagged).await.is_empty());
}

/// In chat logs, by themselves.
pub async fn what_a_user_sent_is_found(stores: &Stores) {
    let (alice, bob) = (
        user(&*stores.directory, "alice").await,
        user(&*stores.directory, "bob").await,
    );
    let open = async |log| {
        let channel = stores.channels.open(&group("g"), log, true).await;
        channel.expect("open").expect("a channel")
    };
    let (chat, command) = (open(LogKind::Chat).await, open(LogKind::Command).await);
    let mut order = text("c");
    order.flags = Flags {
        command: true,
        ..Flags::default()
    };
    let batch = vec![
        append(&chat, &alice, text("1")),
        append(&chat, &bob, text("2")),
        append(&command, &alice, order),
        append(&chat, &alice, text("3")),
    ];
    store(&*stores.log, batch).await;
    let census = &stores.admin.census;
    let scan = census.sent_by(alice.num, MessageId(0)).await.expect("scan");
    assert_eq!(scan.through, None);
    let mut said = Vec::new();
    for id in &scan.found {
        let message = stores.log.by_id(*id).await.expect("by id").expect("there");
        said.push(message.body.payload.clone());
    }
    assert_eq!(said, ["1", "3"]);
    let rest = census.sent_by(alice.num, scan.found[0]).await;
    assert_eq!(rest.expect("scan").found, scan.found[1..]);
    stores
        .log
        .revoke(scan.found[0], None)
        .await
        .expect("revoked");
    let left = census.sent_by(alice.num, MessageId(0)).await;
    assert_eq!(left.expect("scan").found, scan.found[1..]);
}

fn stored_ids(stored: &[AppendOutcome]) -> Vec<MessageId> {
    let id = |outcome: &AppendOutcome| match outcome {
        AppendOutcome::Stored { id, .. } => *id,
        other => panic!("{other:?}"),
    };
    stored.iter().map(id).collect()
}

/// In chats and in command logs, whoever wrote it; and not again once it is gone.
pub async fn what_the_log_has_of_a_user_is_found(stores: &Stores) {
    let (alice, bob) = (
        user(&*stores.directory, "alice").await,
        user(&*stores.directory, "bob").await,
    );
    let (realm, names) = (Realm::default(), [Uid::system()]);
    let system = stores.directory.intern(&realm, &names).await;
    let system = system.expect("interned").remove(0).user;
    let open = async |key: &ChannelKey, log| {
        let channel = stores.channels.open(key, log, true).await;
        channel.expect("open").expect("a channel")
    };
    let own = |of: &UserRef| ChannelKey::direct(&Realm::default(), &of.uid, &of.uid);
    let chat = open(&group("g"), LogKind::Chat).await;
    let command = open(&group("g"), LogKind::Command).await;
    let hers = open(&own(&alice), LogKind::Command).await;
    let his = open(&own(&bob), LogKind::Command).await;
    let friend = |uid: &str| Change::Friend {
        user: uid.to_owned(),
        is_friend: true,
        remark: "r".to_owned(),
        group: String::new(),
        at_ms: 1,
    };
    let told = |change: &Change| change.draft(Address::direct(&bob.uid)).body;
    let mut order = text("c");
    order.flags.command = true;
    let tip = |line: &str| text(&format!(r#"{{"type":"tip","text":"{line}"}}"#));
    let batch = vec![
        append(&chat, &alice, text("1")),
        append(&chat, &bob, text("2")),
        append(&command, &alice, order.clone()),
        append(&command, &bob, order.clone()),
        append(&hers, &bob, told(&friend("carol"))),
        append(&his, &bob, told(&friend("alice"))),
        append(&his, &alice, told(&friend("carol"))),
        append(&chat, &system, tip("Alice、Bob 加入了群聊")),
        append(&chat, &system, tip("Bob 加入了群聊")),
        append(&chat, &bob, tip("Alice 加入了群聊")),
    ];
    let ids = stored_ids(&store(&*stores.log, batch).await);
    let whose = Forgotten {
        realm: Realm::default(),
        user: alice.clone(),
        names: vec!["Alice".to_owned()],
    };
    let census = &stores.admin.census;
    let traces = census.traces_of(&whose, MessageId(0)).await.expect("found");
    assert_eq!(traces.said, [ids[0]]);
    assert_eq!(traces.told, [ids[2], ids[4], ids[5]]);
    assert_eq!(traces.named, [ids[7]]);
    assert_eq!((traces.last, traces.is_more), (ids[9], false));
    let rest = census.traces_of(&whose, ids[4]).await.expect("found");
    assert_eq!((rest.said, rest.told), (vec![], vec![ids[5]]));
    let all = [traces.said, traces.told, traces.named].concat();
    for id in all {
        let erased = stores.log.erase(id, None, Gone::Deleted).await;
        erased.expect("erased");
    }
    let left = census.traces_of(&whose, MessageId(0)).await.expect("found");
    assert_eq!(
        left,
        Traces {
            last: ids[9],
            ..Traces::none_after(MessageId(0))
        }
    );
    let elsewhere = Forgotten {
        realm: elsewhere(),
        ..whose
    };
    let there = census.traces_of(&elsewhere, MessageId(0)).await;
    assert!(there.expect("found").said.is_empty());
}

/// What is kept beside messages is shown first, and then it is gone.
pub async fn nothing_is_left_of_who_was_purged(stores: &Stores) {
    let (census, realm) = (&stores.admin.census, Realm::default());
    let change = UserChange {
        profile: Some(r#"{"name":"Alice"}"#.to_owned()),
        ..UserChange::exists()
    };
    let uid = Uid::parse("alice").expect("a uid");
    let put = stores.directory.put_user(&realm, &uid, &change).await;
    let alice = put.expect("put").user.num;
    let tags = ["vip".to_owned()];
    census.set_tags(&realm, alice, &tags).await.expect("tags");
    let rows = census.rows_of(alice).await.expect("rows");
    let has = |text: &str| rows.iter().any(|row| row.contains(text));
    assert!(
        has(r#""kind":"user""#) && has("Alice") && has("vip"),
        "{rows:?}"
    );
    let purged = census.purge(alice).await.expect("purged");
    assert!(purged.contains(&("user_tag".to_owned(), 1)), "{purged:?}");
    let rows = census.rows_of(alice).await.expect("rows");
    assert!(
        rows.iter()
            .all(|row| !row.contains("Alice") && !row.contains("vip"))
    );
    let record = stores.directory.user_by_num(alice).await.expect("a user");
    let record = record.expect("the name stays");
    assert_eq!((record.user.uid, record.profile), (uid, None));
    let again = census.purge(alice).await.expect("purged");
    assert_eq!(again, [], "nothing was left");
}

/// However often it is asked.
pub async fn messages_are_counted_once(stores: &Stores) {
    let alice = user(&*stores.directory, "alice").await;
    let channel = stores.channels.open(&group("g"), LogKind::Chat, true).await;
    let channel = channel.expect("open").expect("a channel");
    let census = &stores.admin.census;
    let totals = async || {
        while !census.count_messages().await.expect("counted") {}
        census.totals(&Realm::default(), 0).await.expect("totals")
    };
    assert_eq!(totals().await.messages, 0);
    for count in 1..4 {
        store(&*stores.log, vec![append(&channel, &alice, text("x"))]).await;
        let now = totals().await;
        assert_eq!((now.messages, now.channels), (count, 1));
        assert_eq!(now.days.len(), 1);
        assert_eq!(now.days[0].messages, count);
        assert!(now.store_bytes > 0);
    }
    let other = census.totals(&elsewhere(), 0).await.expect("totals");
    assert_eq!((other.messages, other.channels), (0, 0));
}
