//! The content of messages other than text: JSON in a string
//! (stomp.md Q2-18, interop.md G.3, G.4).
//!
//! Reading is tolerant: numbers may be strings, what is unknown of a picture
//! is zero, and only what makes the content what it is, is required. `None`
//! means that the content is not what its type says; it is shown as unknown,
//! never refused.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Members;

/// IMAGE.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// Where it is.
    pub url: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Size in bytes.
    pub size: u64,
    /// Where a small picture of it is.
    pub thumbnail_url: Option<String>,
}

/// AUDIO.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Audio {
    /// Where it is.
    pub url: String,
    /// Length in seconds.
    pub duration: u32,
    /// Size in bytes.
    pub size: u64,
}

/// VIDEO.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Video {
    /// Where it is.
    pub url: String,
    /// Where a picture of it is.
    pub cover_url: Option<String>,
    /// Length in seconds.
    pub duration: u32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Size in bytes.
    pub size: u64,
}

/// FILE.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// Where it is.
    pub url: String,
    /// Its name.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// Its media type.
    pub mime_type: Option<String>,
}

/// LOCATION.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Location {
    /// Degrees.
    pub latitude: f64,
    /// Degrees.
    pub longitude: f64,
    /// Its name.
    pub title: String,
    /// Its address.
    pub address: String,
}

/// CARD: a person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    /// Who.
    pub user_id: String,
    /// Their name.
    pub name: String,
}

/// LINK.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Its title.
    pub title: String,
    /// Some words.
    pub description: String,
    /// Where it leads.
    pub url: String,
    /// Where a picture is.
    pub image_url: Option<String>,
}

/// NOTIFY.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notify {
    /// Its title.
    pub title: String,
    /// What it says.
    pub msg: String,
    /// Where it leads.
    pub target: Option<String>,
    /// What it is about.
    pub service_id: Option<String>,
}

/// CUSTOM.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Custom {
    /// The author's name of the type.
    pub custom_type: String,
    /// Any JSON.
    pub data: Option<Box<RawValue>>,
}

/// What a call message does (interop.md G.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CallAction {
    /// Rings.
    Invite,
    /// Takes the call.
    Answer,
    /// Does not take it.
    Reject,
    /// Gives up, or another device answered.
    Cancel,
    /// Is in another call.
    Busy,
    /// Nobody answered.
    Timeout,
    /// Ends the call.
    Hangup,
    /// Passes on what the media need.
    Signal,
}

/// What a call carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MediaType {
    /// Sound.
    Audio,
    /// Sound and picture.
    Video,
}

/// CALL.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// What it does.
    pub action: CallAction,
    /// The call.
    pub call_id: String,
    /// The room of a media server.
    pub room_id: String,
    /// What it carries.
    pub media_type: MediaType,
    /// Who called.
    pub caller_id: String,
    /// A session description; any JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdp: Option<Box<RawValue>>,
    /// A way to reach the author; any JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Box<RawValue>>,
    /// The key of the room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agora_key: Option<String>,
    /// How long the call was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_sec: Option<u32>,
    /// Why it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Lenient access for contents: what cannot be read is not there.
struct Fields<'a>(Members<'a>);

impl<'a> Fields<'a> {
    fn of(content: &'a str, names: &[&'static str]) -> Option<Fields<'a>> {
        Members::read(content.as_bytes(), names).ok().map(Fields)
    }

    /// A text that must be there.
    fn need(&self, name: &'static str) -> Option<String> {
        self.some(name).filter(|it| !it.is_empty())
    }

    fn some(&self, name: &'static str) -> Option<String> {
        self.0.id(name).ok().flatten()
    }

    fn text(&self, name: &'static str) -> String {
        self.some(name).unwrap_or_default()
    }

    fn u64(&self, name: &'static str) -> u64 {
        // Seconds and pixels may come with a fraction.
        let number = self.0.number(name).ok().flatten().unwrap_or_default();
        self.0
            .unsigned(name)
            .ok()
            .flatten()
            .unwrap_or(number.max(0.0) as u64)
    }

    fn u32(&self, name: &'static str) -> u32 {
        self.u64(name).try_into().unwrap_or(u32::MAX)
    }

    fn json(&self, name: &'static str) -> Option<Box<RawValue>> {
        self.0.raw(name).map(ToOwned::to_owned)
    }

    fn one_of<T: Deserialize<'a>>(&self, name: &'static str) -> Option<T> {
        serde_json::from_str(self.0.raw(name)?.get()).ok()
    }
}

impl Image {
    /// Reads a content.
    #[must_use]
    pub fn read(content: &str) -> Option<Image> {
        let names = ["url", "width", "height", "size", "thumbnailUrl"];
        let fields = Fields::of(content, &names)?;
        Some(Image {
            url: fields.need("url")?,
            width: fields.u32("width"),
            height: fields.u32("height"),
            size: fields.u64("size"),
            thumbnail_url: fields.some("thumbnailUrl"),
        })
    }
}

impl Audio {
    /// Reads a content.
    #[must_use]
    pub fn read(content: &str) -> Option<Audio> {
        let fields = Fields::of(content, &["url", "duration", "size"])?;
        Some(Audio {
            url: fields.need("url")?,
            duration: fields.u32("duration"),
            size: fields.u64("size"),
        })
    }
}

impl Video {
    /// Reads a content.
    #[must_use]
    pub fn read(content: &str) -> Option<Video> {
        let names = ["url", "coverUrl", "duration", "width", "height", "size"];
        let fields = Fields::of(content, &names)?;
        Some(Video {
            url: fields.need("url")?,
            cover_url: fields.some("coverUrl"),
            duration: fields.u32("duration"),
            width: fields.u32("width"),
            height: fields.u32("height"),
            size: fields.u64("size"),
        })
    }
}

impl File {
    /// Reads a content.
    #[must_use]
    pub fn read(content: &str) -> Option<File> {
        let fields = Fields::of(content, &["url", "name", "size", "mimeType"])?;
        Some(File {
            url: fields.need("url")?,
            name: fields.text("name"),
            size: fields.u64("size"),
            mime_type: fields.some("mimeType"),
        })
    }
}

impl Location {
    /// Reads a content.
    #[must_use]
    pub fn read(content: &str) -> Option<Location> {
        let fields = Fields::of(content, &["latitude", "longitude", "title", "address"])?;
        let degrees = |name| fields.0.number(name).ok().flatten();
        Some(Location {
            latitude: degrees("latitude")?,
            longitude: degrees("longitude")?,
            title: fields.text("title"),
            address: fields.text("address"),
        })
    }
}

impl Card {
    /// Reads a content.
    #[must_use]
    pub fn read(content: &str) -> Option<Card> {
        let fields = Fields::of(content, &["userId", "name"])?;
        Some(Card {
            user_id: fields.need("userId")?,
            name: fields.text("name"),
        })
    }
}

impl Link {
    /// Reads a content.
    #[must_use]
    pub fn read(content: &str) -> Option<Link> {
        let fields = Fields::of(content, &["title", "description", "url", "imageUrl"])?;
        Some(Link {
            title: fields.text("title"),
            description: fields.text("description"),
            url: fields.need("url")?,
            image_url: fields.some("imageUrl"),
        })
    }
}

impl Notify {
    /// Reads a content.
    #[must_use]
    pub fn read(content: &str) -> Option<Notify> {
        let fields = Fields::of(content, &["title", "msg", "target", "serviceId"])?;
        Some(Notify {
            title: fields.text("title"),
            msg: fields.some("msg")?,
            target: fields.some("target"),
            service_id: fields.some("serviceId"),
        })
    }
}

impl Custom {
    /// Reads a content.
    #[must_use]
    pub fn read(content: &str) -> Option<Custom> {
        let fields = Fields::of(content, &["customType", "data"])?;
        Some(Custom {
            custom_type: fields.need("customType")?,
            data: fields.json("data"),
        })
    }
}

impl Call {
    /// Reads a content.
    #[must_use]
    pub fn read(content: &str) -> Option<Call> {
        let names = [
            "action",
            "callId",
            "roomId",
            "mediaType",
            "callerId",
            "sdp",
            "candidate",
            "agoraKey",
            "durationSec",
            "reason",
        ];
        let fields = Fields::of(content, &names)?;
        Some(Call {
            action: fields.one_of("action")?,
            call_id: fields.need("callId")?,
            room_id: fields.text("roomId"),
            media_type: fields.one_of("mediaType").unwrap_or(MediaType::Audio),
            caller_id: fields.text("callerId"),
            sdp: fields.json("sdp"),
            candidate: fields.json("candidate"),
            agora_key: fields.some("agoraKey"),
            duration_sec: fields
                .0
                .raw("durationSec")
                .map(|_| fields.u32("durationSec")),
            reason: fields.some("reason"),
        })
    }
}
