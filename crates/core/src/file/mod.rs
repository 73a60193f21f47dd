//! Files: what is known of them, who may read them, and the addresses under which they are
//! served. Their bytes are in a [`BlobStore`]; taking them in is the server's.
//!
//! A file is readable by its owner, by the application, and by whoever may see a message that
//! names it and whose sender could read it; a public one by everybody. Bytes that were given
//! more than once are kept once, as a blob under their digest. A blob that no file is made of
//! goes, some time later: what a crash leaves behind is always noted as garbage beforehand.

pub mod access;
mod blob;
mod id;
mod port;
mod url;

pub use access::FileAccess;
pub use blob::{BlobError, BlobResult, BlobStore, BlobStream};
pub use id::{FileId, MAX_NAMED, named_in, names_any};
pub use port::{
    FileRecord, Files, KeepOutcome, MAX_OPEN_UPLOADS, NewFile, NewThumbnail, Swept, Thumbnail,
    Upload, UploadBegun, Uploads,
};
pub use url::{FileUrls, Grant};
