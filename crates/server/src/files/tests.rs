//! The service, on a messenger over a store in memory.

use std::sync::Arc;

use bytes::Bytes;
use crosstalk_backends::blob::Blobs;
use crosstalk_core::clock::ManualClock;
use crosstalk_core::file::{BlobStore, FileRecord, FileUrls};
use crosstalk_core::id::{Realm, Uid, UserNum};
use crosstalk_core::im::Im;
use crosstalk_core::refusal::Refusal;
use futures_util::TryStreamExt;
use tempfile::TempDir;

use super::{About, FileService, FileSettings, Progress, picture};
use crate::http::v1::tests::im;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// A service that keeps bytes in memory and stages in a folder that goes with it.
pub(crate) fn service(im: &Arc<Im>) -> (Arc<FileService>, TempDir) {
    service_with(im, FileSettings::default())
}

/// The same, with settings.
pub(crate) fn service_with(im: &Arc<Im>, settings: FileSettings) -> (Arc<FileService>, TempDir) {
    service_over(im, settings, Arc::new(Blobs::memory()))
}

/// The same, with bytes kept elsewhere.
pub(crate) fn service_over(
    im: &Arc<Im>,
    settings: FileSettings,
    blobs: Arc<dyn BlobStore>,
) -> (Arc<FileService>, TempDir) {
    let staging = tempfile::tempdir().expect("a folder");
    im.set_file_urls(FileUrls::new(
        &[1; 32],
        "http://im.example",
        settings.url_ttl_ms,
    ));
    let service = FileService::open(im, blobs, settings, staging.path());
    (service.expect("a service"), staging)
}

struct Bed {
    service: Arc<FileService>,
    staging: TempDir,
    im: Arc<Im>,
    clock: Arc<ManualClock>,
}

impl Bed {
    async fn with(settings: FileSettings) -> Self {
        let (im, clock, _) = im::start_with_policy(Default::default()).await;
        let (service, staging) = service_with(&im, settings);
        Self {
            service,
            staging,
            im,
            clock,
        }
    }

    async fn about(&self, uid: &str) -> About {
        let realm = Realm::default();
        let uid = Uid::parse(uid).expect("a uid");
        let user = self.im.ensure_user(&realm, &uid).await.expect("a user");
        About {
            realm,
            owner: Some(user.num),
            name: "n".to_owned(),
            public: false,
        }
    }

    async fn give(&self, about: &About, bytes: &[u8]) -> Result<FileRecord, Refusal> {
        let mut incoming = self.service.receive().await?;
        for chunk in bytes.chunks(3) {
            incoming.write(chunk).await?;
        }
        self.service.keep(incoming, about).await
    }

    async fn bytes(&self, file: &FileRecord) -> Result<Vec<u8>, Refusal> {
        let stream = self.service.read(&file.blob, 0..file.size).await?;
        let chunks: Vec<Bytes> = stream.try_collect().await.expect("the bytes come");
        Ok(chunks.concat())
    }

    fn staged(&self) -> usize {
        std::fs::read_dir(self.staging.path())
            .expect("a folder")
            .count()
    }
}

#[tokio::test]
async fn the_same_bytes_are_kept_once_and_go_a_day_after_their_last_file() {
    let bed = Bed::with(FileSettings::default()).await;
    let (alice, bob) = (bed.about("alice").await, bed.about("bob").await);
    let one = bed.give(&alice, b"hello").await.expect("kept");
    let two = bed.give(&bob, b"hello").await.expect("kept");
    assert_eq!((&one.blob, one.size), (&two.blob, 5));
    assert_ne!(one.id, two.id);
    assert_eq!(bed.staged(), 0, "nothing is left on the way");
    bed.im.files().delete(one.id).await.expect("deleted");
    bed.clock.advance_ms(2 * DAY_MS);
    assert_eq!(bed.service.sweep().await, Ok(0));
    assert_eq!(bed.bytes(&two).await.as_deref(), Ok(&b"hello"[..]));
    bed.im.files().delete(two.id).await.expect("deleted");
    assert_eq!(bed.service.sweep().await, Ok(0), "not yet");
    bed.clock.advance_ms(2 * DAY_MS);
    assert_eq!(bed.service.sweep().await, Ok(1));
    assert_eq!(bed.bytes(&two).await, Err(Refusal::Unavailable));
    let again = bed.give(&alice, b"hello").await.expect("kept");
    assert_eq!(bed.bytes(&again).await.as_deref(), Ok(&b"hello"[..]));
}

#[tokio::test]
async fn what_a_crash_leaves_is_swept() {
    let bed = Bed::with(FileSettings::default()).await;
    let alice = bed.about("alice").await;
    // Put, and then nobody kept it.
    let blobs = Arc::clone(&bed.service.blobs);
    bed.im
        .files()
        .note_key("blobs/aa/lost")
        .await
        .expect("noted");
    blobs
        .put("blobs/aa/lost", Bytes::from_static(b"x"))
        .await
        .expect("put");
    // Begun by another run.
    std::fs::write(bed.staging.path().join("0123.tmp"), b"x").expect("a file");
    let upload = bed
        .service
        .begin_upload(alice.clone(), 5, None)
        .await
        .expect("begun");
    let stray = format!("ctf_{:032x}.part", 7);
    std::fs::write(bed.staging.path().join(stray), b"x").expect("a file");
    let again = FileService::open(
        &bed.im,
        Arc::clone(&blobs),
        FileSettings::default(),
        bed.staging.path(),
    );
    let again = again.expect("a service");
    again.sweep().await.expect("swept");
    assert_eq!(bed.staged(), 1, "only what somebody may go on with");
    assert!(again.upload(&alice, upload.id).await.is_ok());
    bed.clock.advance_ms(2 * DAY_MS);
    assert_eq!(again.sweep().await, Ok(1));
    assert_eq!(bed.staged(), 0);
    assert!(
        blobs
            .get("blobs/aa/lost", 0..1)
            .await
            .expect("an answer")
            .is_none()
    );
    assert_eq!(
        again.upload(&alice, upload.id).await,
        Err(Refusal::NotFound)
    );
}

#[tokio::test]
async fn limits_hold() {
    let settings = FileSettings {
        max_bytes: 10,
        max_bytes_per_day: 15,
        allowed_types: vec!["text/*".to_owned()],
        ..FileSettings::default()
    };
    let bed = Bed::with(settings).await;
    let alice = bed.about("alice").await;
    assert_eq!(
        bed.give(&alice, b"01234567890").await,
        Err(Refusal::TooLarge)
    );
    assert_eq!(
        bed.give(&alice, b"GIF89a....").await.map(|it| it.id),
        Err(Refusal::InvalidArgument)
    );
    bed.give(&alice, b"0123456789").await.expect("kept");
    assert_eq!(bed.give(&alice, b"987654").await, Err(Refusal::RateLimited));
    let app = About {
        owner: None,
        ..alice.clone()
    };
    for bytes in [b"0000000000", b"1111111111"] {
        bed.give(&app, bytes)
            .await
            .expect("the application is not limited");
    }
    bed.clock.advance_ms(DAY_MS + 1);
    bed.give(&alice, b"987654").await.expect("another day");
    assert_eq!(bed.staged(), 0);
    let off = FileSettings {
        enabled: false,
        ..FileSettings::default()
    };
    let bed = Bed::with(off).await;
    assert_eq!(bed.give(&alice, b"x").await, Err(Refusal::Forbidden));
}

#[tokio::test]
async fn whoever_goes_away_leaves_what_came_before_others_go_on() {
    let bed = Bed::with(FileSettings::default()).await;
    let alice = bed.about("alice").await;
    let service = &bed.service;
    let size = 64 << 10;
    let begun = service.begin_upload(alice.clone(), size, None).await;
    let id = begun.expect("begun").id;
    let mut part = service.go_on(&alice, id, 0).await.expect("begun");
    part.write(&vec![b'a'; 32 << 10]).await.expect("written");
    // Dropped where it waits, as a request is whose connection breaks.
    drop(part);
    let at = loop {
        match service.go_on(&alice, id, 32 << 10).await {
            Ok(part) => break part.at(),
            Err(why) => assert_eq!(why, Refusal::WrongState),
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(at, 32 << 10);
}

#[tokio::test]
async fn parts_come_over_many_requests_and_one_at_a_time() {
    let bed = Bed::with(FileSettings::default()).await;
    let (alice, bob) = (bed.about("alice").await, bed.about("bob").await);
    let service = &bed.service;
    let upload = service
        .begin_upload(alice.clone(), 6, None)
        .await
        .expect("begun");
    let mut part = service
        .go_on(&alice, upload.id, 0)
        .await
        .expect("at the beginning");
    let busy = service
        .go_on(&alice, upload.id, 0)
        .await
        .map(|part| part.at());
    assert_eq!(busy, Err(Refusal::WrongState));
    part.write(b"abc").await.expect("written");
    assert_eq!(part.write(b"defg").await, Err(Refusal::TooLarge));
    drop(part);
    assert_eq!(
        service.upload(&alice, upload.id).await.map(|(_, at)| at),
        Ok(3)
    );
    assert_eq!(
        service.upload(&bob, upload.id).await,
        Err(Refusal::NotFound)
    );
    let wrong = service
        .go_on(&alice, upload.id, 2)
        .await
        .map(|part| part.at());
    assert_eq!(wrong, Err(Refusal::WrongState));
    let mut part = service.go_on(&alice, upload.id, 3).await.expect("there");
    part.write(b"def").await.expect("written");
    let Ok(Progress::Done(file)) = part.finish().await else {
        panic!("it is whole");
    };
    assert_eq!((file.id, file.owner), (upload.id, alice.owner));
    assert_eq!(bed.bytes(&file).await.as_deref(), Ok(&b"abcdef"[..]));
    assert_eq!(bed.staged(), 0);
    assert_eq!(
        service.upload(&alice, upload.id).await,
        Err(Refusal::NotFound)
    );
}

/// However many users send, the disk has room; what is only announced takes none of it.
#[tokio::test]
async fn what_is_under_way_is_bounded_over_all_users() {
    let bed = Bed::with(FileSettings {
        max_staged_bytes: 10,
        ..FileSettings::default()
    })
    .await;
    let begin = async |uid: &str, size| {
        let about = bed.about(uid).await;
        // The clock of tests repeats what it calls random.
        bed.im.clock().fill_random(&mut [0]);
        bed.service.begin_upload(about, size, None).await
    };
    let (alice, bob) = (bed.about("alice").await, bed.about("bob").await);
    let service = &bed.service;
    let first = begin("alice", 6).await.expect("begun").id;
    let second = begin("bob", 6).await.expect("nothing has come yet").id;
    let mut part = service.go_on(&alice, first, 0).await.expect("begun");
    part.write(b"ab").await.expect("written");
    let full = service.go_on(&bob, second, 0).await.map(|part| part.at());
    assert_eq!(full, Err(Refusal::RateLimited), "6 are coming");
    assert_eq!(begin("carol", 6).await, Err(Refusal::RateLimited));
    part.settle().await.expect("written");
    drop(part);
    begin("carol", 8).await.expect("2 are there");
    let mut part = service.go_on(&bob, second, 0).await.expect("begun");
    part.write(b"abcdef").await.expect("written");
    part.finish().await.expect("kept");
    let (staging, blobs) = (bed.staging.path(), Arc::clone(&service.blobs));
    // Also after another start, which finds what is there.
    let again = FileService::open(&bed.im, blobs, service.settings().clone(), staging);
    let again = again.expect("a service");
    again.sweep().await.expect("swept");
    let carol = bed.about("carol").await;
    let large = again.begin_upload(carol.clone(), 9, None).await;
    assert_eq!(large, Err(Refusal::RateLimited));
    again.give_up(&alice, first).await.expect("gone");
    bed.im.clock().fill_random(&mut [0]);
    again
        .begin_upload(carol, 9, None)
        .await
        .expect("room again");
}

/// A store of bytes that fails fails the request, and nothing else.
#[tokio::test]
async fn what_the_store_does_not_take_is_tried_again() {
    let (im, clock, _) = im::start_with_policy(Default::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = Blobs::local(folder.path()).expect("a store");
    let (service, staging) = service_over(&im, FileSettings::default(), Arc::new(blobs));
    let bed = Bed {
        service,
        staging,
        im,
        clock,
    };
    let alice = bed.about("alice").await;
    let obstacle = folder.path().join("blobs");
    std::fs::write(&obstacle, b"x").expect("a file");
    assert_eq!(bed.give(&alice, b"hello").await, Err(Refusal::Unavailable));
    assert_eq!(bed.staged(), 0, "nothing is left on the way");
    let service = &bed.service;
    let begun = service.begin_upload(alice.clone(), 5, None).await;
    let id = begun.expect("begun").id;
    let mut part = service.go_on(&alice, id, 0).await.expect("begun");
    part.write(b"hello").await.expect("written");
    assert_eq!(part.finish().await, Err(Refusal::Unavailable));
    let at = service.upload(&alice, id).await.map(|(_, at)| at);
    assert_eq!(at, Ok(5), "what came stays");
    std::fs::remove_file(&obstacle).expect("it goes");
    let part = service.go_on(&alice, id, 5).await.expect("there");
    let done = part.finish().await;
    assert!(matches!(done, Ok(Progress::Done(_))), "{done:?}");
    let file = bed.give(&alice, b"hello").await.expect("kept");
    assert_eq!(bed.bytes(&file).await.as_deref(), Ok(&b"hello"[..]));
}

#[tokio::test]
async fn photos_are_as_large_as_they_are_shown() {
    let bed = Bed::with(FileSettings::default()).await;
    let alice = bed.about("alice").await;
    let photo = picture::tests::photo(800, 400, 6);
    let mut incoming = bed.service.receive().await.expect("taken");
    incoming.write(&photo).await.expect("written");
    let file = bed.service.keep(incoming, &alice).await.expect("kept");
    assert_eq!((file.width, file.height), (400, 800));
    let small = bed.service.thumbnail(&file, 128).await.expect("made");
    let bytes = bed.service.read(&small.key, 0..small.size).await;
    let bytes: Vec<Bytes> = bytes.expect("there").try_collect().await.expect("read");
    let small = image::load_from_memory(&bytes.concat()).expect("an image");
    assert_eq!((small.width(), small.height()), (64, 128));
}

#[tokio::test]
async fn a_broken_picture_is_read_once() {
    let bed = Bed::with(FileSettings::default()).await;
    let alice = bed.about("alice").await;
    let whole = image::DynamicImage::ImageLuma8(image::GrayImage::new(300, 300));
    let png = picture::tests::encoded(&whole, image::ImageFormat::Png);
    let file = bed.give(&alice, &png[..png.len() / 2]).await.expect("kept");
    assert_eq!(file.width, 300, "its beginning is there");
    assert_eq!(
        bed.service.thumbnail(&file, 128).await,
        Err(Refusal::NotFound)
    );
    // Without its bytes nothing could be told of it any more.
    bed.service.blobs.delete(&file.blob).await.expect("gone");
    for side in [128, 320] {
        assert_eq!(
            bed.service.thumbnail(&file, side).await,
            Err(Refusal::NotFound)
        );
    }
}

#[tokio::test]
async fn bytes_that_are_not_those_that_were_said_are_not_kept() {
    let bed = Bed::with(FileSettings::default()).await;
    let alice = bed.about("alice").await;
    let service = &bed.service;
    let upload = service
        .begin_upload(alice.clone(), 1, Some([0; 32]))
        .await
        .expect("begun");
    let mut part = service.go_on(&alice, upload.id, 0).await.expect("there");
    part.write(b"x").await.expect("written");
    assert_eq!(part.finish().await, Err(Refusal::InvalidArgument));
    assert_eq!(bed.staged(), 0);
    assert_eq!(
        bed.im.files().file(upload.id).await.expect("an answer"),
        None
    );
}

#[tokio::test]
async fn a_digest_is_no_proof_of_having_the_bytes() {
    let bed = Bed::with(FileSettings::default()).await;
    let alice = bed.about("alice").await;
    let file = bed.give(&alice, b"secret").await.expect("kept");
    let again = bed
        .service
        .again(&alice, &file.sha256, 6)
        .await
        .expect("an answer");
    let again = again.expect("she gave them before");
    assert_ne!(again.id, file.id);
    let bob = About {
        owner: Some(UserNum(4711)),
        ..alice.clone()
    };
    assert_eq!(bed.service.again(&bob, &file.sha256, 6).await, Ok(None));
    assert_eq!(bed.service.again(&alice, &file.sha256, 7).await, Ok(None));
}
