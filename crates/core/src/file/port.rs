//! What the core asks of a store about files.

use async_trait::async_trait;

use super::FileId;
use crate::id::{MessageId, Realm, UserNum};
use crate::store::StoreResult;

/// How many uploads of one owner may be under way.
pub const MAX_OPEN_UPLOADS: u32 = 16;

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRecord {
    /// Its id.
    pub id: FileId,
    /// Where it belongs.
    pub realm: Realm,
    /// Who gave it; `None` = the application.
    pub owner: Option<UserNum>,
    /// What it is called; it may be empty.
    pub name: String,
    /// Its media type, as its content shows.
    pub media_type: String,
    /// Its length in bytes.
    pub size: u64,
    /// The SHA-256 digest of its bytes.
    pub sha256: [u8; 32],
    /// The key of its bytes in the blob store.
    pub blob: String,
    /// An image's width in pixels; 0 = none, or not known.
    pub width: u32,
    /// An image's height in pixels; 0 = none, or not known.
    pub height: u32,
    /// Whether everybody may read it.
    pub public: bool,
    /// When it came, ms since 1970.
    pub created_at_ms: i64,
}

/// A file to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// The file; its `blob` is the key under which its bytes were put, or empty if they were
    /// not.
    pub file: FileRecord,
    /// How many bytes its owner may give within 24 hours; 0 = any number.
    pub max_bytes_per_day: u64,
}

/// What became of an upload to be begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadBegun {
    /// It has begun.
    Begun,
    /// Its owner has [`MAX_OPEN_UPLOADS`] under way.
    TooMany,
}

/// What became of a file to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeepOutcome {
    /// It is kept; its bytes may be under another key, if they were there before.
    Kept(FileRecord),
    /// Nobody has put its bytes.
    NoBlob,
    /// Its owner has given too much today.
    TooMuch,
}

/// A small picture of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// Its key in the blob store.
    pub key: String,
    /// Its media type.
    pub media_type: String,
    /// Its length in bytes.
    pub size: u64,
}

/// A small picture to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewThumbnail {
    /// The blob of which it is.
    pub of: String,
    /// The length of the sides of the square in which it fits, pixels.
    pub side: u32,
    /// The picture.
    pub thumbnail: Thumbnail,
}

/// An upload that comes in parts. The parts themselves wait on this machine's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The id that the file is going to have.
    pub id: FileId,
    /// Where it belongs.
    pub realm: Realm,
    /// Who gives it; `None` = the application.
    pub owner: Option<UserNum>,
    /// What it is called.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its digest, if that was said.
    pub sha256: Option<[u8; 32]>,
    /// Whether everybody is to read it.
    pub public: bool,
    /// When it is given up, ms since 1970.
    pub expires_at_ms: i64,
}

/// What a sweep has found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Swept {
    /// Keys in the blob store that nothing needs: to be deleted there and then forgotten.
    pub garbage: Vec<String>,
}

/// The store of what is known of files. Each change is durable when it returns.
#[async_trait]
pub trait Files: Send + Sync + 'static {
    /// Notes that a key is about to be put into the blob store. Until something is kept under
    /// it, it is garbage: of what was put and then forgotten the sweep knows.
    async fn note_key(&self, key: &str) -> StoreResult<()>;

    /// Keeps a file. If its bytes are there already, they are used; else those under the key
    /// of its `blob`, which from now on is no garbage.
    async fn keep(&self, file: &NewFile) -> StoreResult<KeepOutcome>;

    /// A file.
    async fn file(&self, id: FileId) -> StoreResult<Option<FileRecord>>;

    /// A file with these bytes that this owner gave, if there is one.
    async fn same(
        &self,
        realm: &Realm,
        owner: Option<UserNum>,
        sha256: &[u8; 32],
    ) -> StoreResult<Option<FileRecord>>;

    /// Forgets a file and which messages name it. False if there is none.
    async fn delete(&self, id: FileId) -> StoreResult<bool>;

    /// Messages that were sent with the file in channels with which a user has something to
    /// do, newest first, at most `limit`. Of a file that very many messages show only the
    /// newest of these may be looked at.
    async fn named_by(&self, id: FileId, user: UserNum, limit: u32) -> StoreResult<Vec<MessageId>>;

    /// Whether a message shows a file: it was sent or edited with it by somebody who may pass
    /// it on, and was not erased.
    async fn is_shown_by(&self, id: FileId, message: MessageId) -> StoreResult<bool>;

    /// A message that was not erased shows these files from now on, and no others.
    async fn show(&self, message: MessageId, files: &[FileId]) -> StoreResult<()>;

    /// A small picture of a blob.
    async fn thumbnail(&self, of: &str, side: u32) -> StoreResult<Option<Thumbnail>>;

    /// Keeps a small picture, whose key is no garbage then; the first one that was kept counts.
    /// `None` if its blob is gone.
    async fn keep_thumbnail(&self, thumbnail: &NewThumbnail) -> StoreResult<Option<Thumbnail>>;

    /// Gives up blobs that no file is made of, and forgets what dropped messages named. Says
    /// which keys are garbage and were noted before `before_ms`, at most `limit`.
    async fn sweep(&self, before_ms: i64, limit: u32) -> StoreResult<Swept>;

    /// Forgets garbage that was deleted.
    async fn forget_garbage(&self, keys: &[String]) -> StoreResult<()>;
}

/// The store of uploads that come in parts. Each change is durable when it returns.
#[async_trait]
pub trait Uploads: Send + Sync + 'static {
    /// Begins an upload, unless too many of its owner are under way already.
    async fn begin_upload(&self, upload: &Upload) -> StoreResult<UploadBegun>;

    /// An upload that is under way.
    async fn upload(&self, id: FileId) -> StoreResult<Option<Upload>>;

    /// Ends an upload. False if there is none.
    async fn end_upload(&self, id: FileId) -> StoreResult<bool>;

    /// Uploads that are to be given up, at most `limit`.
    async fn expired_uploads(&self, now_ms: i64, limit: u32) -> StoreResult<Vec<FileId>>;
}
