//! The JSON of the dialect, with the transcripts of `mqtt.md` E.c.

mod background;
mod content;
mod envelope;
mod http;

use crosstalk_wire::mqtt::im::read;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// `json` is the one form in which `value` is written, and is read as it.
#[track_caller]
fn same<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(json: &str, value: &T) {
    assert_eq!(serde_json::to_string(value).expect("it has a form"), json);
    assert_eq!(&read::<T>(json.as_bytes()).expect("it is read"), value);
}
