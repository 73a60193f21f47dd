//! What every blob store must do.

use std::path::Path;

use bytes::Bytes;
use futures_util::TryStreamExt;

use crate::file::BlobStore;

/// Longer than what is put at once, and no multiple of it.
const LONG: usize = (17 << 20) + 3;
const KEPT: &str = "test/kept";

fn long() -> Vec<u8> {
    let byte = |at: usize| (at % 251).to_le_bytes()[0];
    (0..LONG).map(byte).collect()
}

async fn all(store: &dyn BlobStore, key: &str, from: u64, to: u64) -> Option<Vec<u8>> {
    let stream = store.get(key, from..to).await.expect("the store answers")?;
    let chunks: Vec<Bytes> = stream.try_collect().await.expect("the bytes come");
    Some(chunks.concat())
}

/// Short and long ones come back, whole and in stretches, until they are deleted.
pub async fn keeps_bytes(store: &dyn BlobStore, scratch: &Path) {
    assert_eq!(all(store, "test/none", 0, 1).await, None);
    store.delete("test/none").await.expect("nothing to delete");
    store
        .put(KEPT, Bytes::from_static(b"hello"))
        .await
        .expect("put");
    assert_eq!(all(store, KEPT, 0, 5).await.as_deref(), Some(&b"hello"[..]));
    assert_eq!(all(store, KEPT, 1, 3).await.as_deref(), Some(&b"el"[..]));
    let path = scratch.join("long");
    for (key, bytes) in [("test/long", long()), ("test/empty", Vec::new())] {
        std::fs::write(&path, &bytes).expect("a file");
        store.put_file(key, &path).await.expect("put");
        let end = bytes.len() as u64;
        assert!(all(store, key, 0, end).await == Some(bytes), "{key}");
    }
    let (from, to) = (LONG - 9, LONG - 2);
    let stretch = all(store, "test/long", from as u64, to as u64).await;
    assert_eq!(stretch.as_deref(), Some(&long()[from..to]));
    store
        .put_file("test/x", &scratch.join("nothing"))
        .await
        .expect_err("no file");
    assert_eq!(
        all(store, "test/x", 0, 1).await,
        None,
        "nothing of it is there"
    );
    store.delete("test/long").await.expect("deleted");
    assert_eq!(all(store, "test/long", 0, 1).await, None);
}

/// What [`keeps_bytes`] left is there after opening it again.
pub async fn has_what_it_kept(store: &dyn BlobStore) {
    assert_eq!(all(store, KEPT, 0, 5).await.as_deref(), Some(&b"hello"[..]));
}
