//! What is known of files, and uploads that come in parts.

use crate::channel::{LogKind, MemberChange, MemberRole};
use crate::contract::{LogBed, append, group, text, user};
use crate::file::{
    FileId, FileRecord, KeepOutcome, MAX_OPEN_UPLOADS, NewFile, NewThumbnail, Thumbnail, Upload,
    UploadBegun,
};
use crate::id::{Realm, UserNum};
use crate::im::Stores;
use crate::log::AppendOutcome;

/// The cases of files, one test each; `make` gives empty stores.
#[macro_export]
macro_rules! files_contract {
    ($make:path) => {
        $crate::contract_tests!($make, files:
            files_are_kept_and_found,
            bytes_are_kept_once_and_go_when_no_file_needs_them,
            a_put_that_nobody_finished_is_garbage,
            what_comes_on_one_day_is_bounded,
            thumbnails_belong_to_bytes,
            messages_show_files_to_those_who_have_to_do_with_them,
            uploads_begin_and_end,
        );
    };
}

/// Later than anything a store can note.
const LATE: i64 = i64::MAX;

fn id(n: u8) -> FileId {
    FileId::parse(&format!("ctf_{n:032x}")).expect("an id")
}

fn file(n: u8, owner: Option<i64>, digest: u8) -> FileRecord {
    FileRecord {
        id: id(n),
        realm: Realm::default(),
        owner: owner.map(UserNum),
        name: format!("{n}.png"),
        media_type: "image/png".to_owned(),
        size: 10,
        sha256: [digest; 32],
        blob: String::new(),
        width: 3,
        height: 4,
        public: n.is_multiple_of(2),
        created_at_ms: 1_700_000_000_000,
    }
}

async fn keep(stores: &Stores, file: FileRecord, blob: &str) -> KeepOutcome {
    let new = NewFile {
        file: FileRecord {
            blob: blob.to_owned(),
            ..file
        },
        max_bytes_per_day: 0,
    };
    stores.files.keep(&new).await.expect("keep")
}

async fn kept(stores: &Stores, file: FileRecord, blob: &str) -> FileRecord {
    match keep(stores, file, blob).await {
        KeepOutcome::Kept(file) => file,
        other => panic!("{other:?}"),
    }
}

async fn find(stores: &Stores, id: FileId) -> Option<FileRecord> {
    stores.files.file(id).await.expect("file")
}

async fn garbage(stores: &Stores) -> Vec<String> {
    stores.files.sweep(LATE, 100).await.expect("sweep").garbage
}

/// With all that was said of them; by their digest only for whoever gave them.
pub async fn files_are_kept_and_found(stores: &Stores) {
    assert_eq!(find(stores, id(1)).await, None);
    let mine = kept(stores, file(1, Some(7), 1), "k").await;
    assert_eq!(
        mine,
        FileRecord {
            blob: "k".to_owned(),
            ..file(1, Some(7), 1)
        }
    );
    assert_eq!(find(stores, id(1)).await.as_ref(), Some(&mine));
    let of_app = kept(stores, file(2, None, 1), "").await;
    let same = async |owner: Option<i64>, digest: u8| {
        let realm = Realm::default();
        let found = stores
            .files
            .same(&realm, owner.map(UserNum), &[digest; 32])
            .await;
        found.expect("same")
    };
    assert_eq!(same(Some(7), 1).await, Some(mine));
    assert_eq!(same(None, 1).await, Some(of_app));
    assert_eq!(
        same(Some(8), 1).await,
        None,
        "a stranger has to show the bytes"
    );
    assert_eq!(same(Some(7), 2).await, None);
    assert!(stores.files.delete(id(1)).await.expect("delete"));
    assert!(!stores.files.delete(id(1)).await.expect("delete"));
    assert_eq!(find(stores, id(1)).await, None);
}

/// The second file is made of the first one's bytes; both gone, the bytes go.
pub async fn bytes_are_kept_once_and_go_when_no_file_needs_them(stores: &Stores) {
    assert_eq!(
        keep(stores, file(1, Some(1), 1), "").await,
        KeepOutcome::NoBlob
    );
    kept(stores, file(1, Some(1), 1), "first").await;
    let second = kept(stores, file(2, Some(2), 1), "second").await;
    assert_eq!(second.blob, "first");
    for n in [1, 2] {
        assert_eq!(garbage(stores).await, Vec::<String>::new(), "{n}");
        stores.files.delete(id(n)).await.expect("delete");
    }
    // Before it is swept it can be used again.
    kept(stores, file(3, Some(3), 1), "").await;
    assert_eq!(garbage(stores).await, Vec::<String>::new());
    stores.files.delete(id(3)).await.expect("delete");
    let early = stores.files.sweep(0, 100).await.expect("sweep");
    assert_eq!(early.garbage, Vec::<String>::new(), "not yet");
    assert_eq!(garbage(stores).await, ["first"]);
    // Whoever gives the same again has to put it again, elsewhere.
    assert_eq!(
        keep(stores, file(4, Some(1), 1), "").await,
        KeepOutcome::NoBlob
    );
    // It is named until it is said to be gone.
    assert_eq!(garbage(stores).await, ["first"]);
    stores
        .files
        .forget_garbage(&["first".to_owned()])
        .await
        .expect("forget");
    assert_eq!(garbage(stores).await, Vec::<String>::new());
}

/// Noted before it is put; what is kept is no garbage, what came second is.
pub async fn a_put_that_nobody_finished_is_garbage(stores: &Stores) {
    for key in ["lost", "used", "second"] {
        stores.files.note_key(key).await.expect("note");
    }
    kept(stores, file(1, Some(1), 1), "used").await;
    kept(stores, file(2, Some(1), 1), "second").await;
    let mut found = garbage(stores).await;
    found.sort();
    assert_eq!(found, ["lost", "second"]);
}

/// Of each owner for themselves.
pub async fn what_comes_on_one_day_is_bounded(stores: &Stores) {
    let give = async |n: u8, owner: Option<i64>| {
        let new = NewFile {
            file: FileRecord {
                blob: format!("k{n}"),
                // The store's own clock says which day it is.
                created_at_ms: LATE,
                ..file(n, owner, n)
            },
            max_bytes_per_day: 25,
        };
        stores.files.keep(&new).await.expect("keep")
    };
    for n in [1, 2] {
        assert!(matches!(give(n, Some(1)).await, KeepOutcome::Kept(_)));
    }
    assert_eq!(give(3, Some(1)).await, KeepOutcome::TooMuch);
    assert!(matches!(give(4, Some(2)).await, KeepOutcome::Kept(_)));
    assert!(matches!(give(5, None).await, KeepOutcome::Kept(_)));
}

/// The first of a size counts; they go with the bytes.
pub async fn thumbnails_belong_to_bytes(stores: &Stores) {
    let small = |key: &str| Thumbnail {
        key: key.to_owned(),
        media_type: "image/jpeg".to_owned(),
        size: 3,
    };
    let keep_small = async |of: &str, key: &str| {
        let new = NewThumbnail {
            of: of.to_owned(),
            side: 128,
            thumbnail: small(key),
        };
        stores.files.keep_thumbnail(&new).await.expect("keep")
    };
    assert_eq!(
        keep_small("big", "t0").await,
        None,
        "there are no such bytes"
    );
    kept(stores, file(1, Some(1), 1), "big").await;
    stores.files.note_key("t1").await.expect("note");
    assert_eq!(keep_small("big", "t1").await, Some(small("t1")));
    assert_eq!(keep_small("big", "t2").await, Some(small("t1")));
    let found = async |side| {
        stores
            .files
            .thumbnail("big", side)
            .await
            .expect("thumbnail")
    };
    assert_eq!(found(128).await, Some(small("t1")));
    assert_eq!(found(64).await, None);
    assert_eq!(garbage(stores).await, Vec::<String>::new());
    stores.files.delete(id(1)).await.expect("delete");
    garbage(stores).await;
    let mut all = garbage(stores).await;
    all.sort();
    assert_eq!(all, ["big", "t1"]);
    assert_eq!(found(128).await, None);
}

/// Members of the channel, not others; and no longer once it was taken back.
pub async fn messages_show_files_to_those_who_have_to_do_with_them(stores: &Stores) {
    let bed = LogBed::of(stores);
    let channel = bed.names.channel(&group("g"), LogKind::Chat).await;
    let (alice, bob) = (
        user(&*stores.directory, "alice").await,
        user(&*stores.directory, "bob").await,
    );
    let join = MemberChange::Join(alice.clone(), MemberRole::Member);
    let joined = stores.channels.change_members(channel.num, &[join]).await;
    joined.expect("joined");
    kept(stores, file(1, Some(alice.num.0), 1), "k").await;
    let mut item = append(&channel, &alice, text("see"));
    item.files = vec![id(1)];
    let appended = stores.log.append(vec![item]).await.expect("taken").await;
    let Some(Ok(AppendOutcome::Stored { id: message, .. })) = appended.first() else {
        panic!("{appended:?}");
    };
    let named = async |user: UserNum| {
        let named = stores.files.named_by(id(1), user, 10).await;
        named.expect("named")
    };
    let is_shown = async |n| {
        let shown = stores.files.is_shown_by(id(n), *message).await;
        shown.expect("shown")
    };
    assert_eq!(named(alice.num).await, [*message]);
    assert_eq!(named(bob.num).await, []);
    assert!(is_shown(1).await && !is_shown(2).await);
    let show = async |files: &[FileId]| {
        stores.files.show(*message, files).await.expect("shown");
    };
    show(&[id(2)]).await;
    assert!(is_shown(2).await && !is_shown(1).await);
    show(&[id(1)]).await;
    assert_eq!(named(alice.num).await, [*message]);
    stores.log.revoke(*message, None).await.expect("revoked");
    assert_eq!(named(alice.num).await, []);
    show(&[id(1)]).await;
    assert!(!is_shown(1).await, "nothing that was erased shows any");
}

/// So many of one owner, each until it ends.
pub async fn uploads_begin_and_end(stores: &Stores) {
    let ids = std::cell::Cell::new(0);
    let upload = |owner: Option<i64>| Upload {
        id: {
            ids.set(ids.get() + 1);
            id(ids.get())
        },
        realm: Realm::default(),
        owner: owner.map(UserNum),
        name: "n".to_owned(),
        size: 9,
        sha256: Some([3; 32]),
        public: true,
        expires_at_ms: LATE - 1,
    };
    let first = upload(Some(1));
    let begin = async |upload: &Upload| {
        let begun = stores.uploads.begin_upload(upload).await;
        begun.expect("an answer") == UploadBegun::Begun
    };
    let get = async |id| stores.uploads.upload(id).await.expect("upload");
    assert!(begin(&first).await);
    assert_eq!(get(first.id).await.as_ref(), Some(&first));
    for _ in 1..MAX_OPEN_UPLOADS {
        assert!(begin(&upload(Some(1))).await);
    }
    assert!(!begin(&upload(Some(1))).await, "one too many");
    assert!(begin(&upload(Some(2))).await && begin(&upload(None)).await);
    let end = async |id| stores.uploads.end_upload(id).await.expect("end");
    assert!(end(first.id).await && !end(first.id).await);
    assert_eq!(get(first.id).await, None);
    let last = upload(Some(1));
    assert!(begin(&last).await, "there is room again");
    let expired = async |now_ms| {
        let expired = stores.uploads.expired_uploads(now_ms, 100).await;
        expired.expect("expired")
    };
    assert_eq!(expired(LATE - 2).await, []);
    let open = u64::from(MAX_OPEN_UPLOADS) + 2;
    assert_eq!(expired(LATE - 1).await.len() as u64, open);
}
