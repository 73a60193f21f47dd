//! Contents: exact members outwards, every form inwards.

use crosstalk_wire::mqtt::im::call::{Call, CallExt, CallStatus};
use crosstalk_wire::mqtt::im::content::{Audio, File, Image, Location, Notice, Text, Video};
use crosstalk_wire::mqtt::im::read;
use serde_json::json;

use super::same;

/// The bodies of `mqtt.md` S3-17 to S3-25, with their members in order.
#[test]
fn the_documented_bodies() {
    same(
        r#"{"text":"你好"}"#,
        &Text {
            text: "你好".into(),
            ext: None,
        },
    );
    same(
        r#"{"storageId":"f-1","thumbnail":"f-1t","thumbnailWidth":100,"thumbnailHeight":100}"#,
        &Image {
            storage_id: "f-1".into(),
            thumbnail: "f-1t".into(),
            thumbnail_width: 100,
            thumbnail_height: 100,
            ext: None,
        },
    );
    same(
        r#"{"storageId":"f-2","duration":152}"#,
        &Audio {
            storage_id: "f-2".into(),
            duration_secs: 152,
            ext: None,
        },
    );
    same(
        r#"{"storageId":"f-3","fileName":"a.mp4","fileSize":"1048576","duration":100,"thumbnail":"t","thumbnailWidth":100,"thumbnailHeight":90}"#,
        &Video {
            storage_id: "f-3".into(),
            file_name: "a.mp4".into(),
            file_size: "1048576".into(),
            duration_secs: 100,
            thumbnail: "t".into(),
            thumbnail_width: 100,
            thumbnail_height: 90,
            ext: None,
        },
    );
    let file = File {
        storage_id: "f-4".into(),
        file_name: "a.3gp".into(),
        file_size: "5".into(),
        duration_secs: 100,
        mime_type: Some("video/3gpp".into()),
        ext: None,
    };
    same(
        r#"{"storageId":"f-4","fileName":"a.3gp","fileSize":"5","duration":100,"mimeType":"video/3gpp"}"#,
        &file,
    );
    same(
        r#"{"storageId":"f-4","fileName":"a.3gp","fileSize":"5","duration":100}"#,
        &File {
            mime_type: None,
            ..file
        },
    );
    same(
        r#"{"latitude":31.25,"longitude":121.5,"title":"外滩","address":"上海"}"#,
        &Location {
            latitude: 31.25,
            longitude: 121.5,
            title: "外滩".into(),
            address: "上海".into(),
            ext: None,
        },
    );
    same(
        r#"{"title":"处方单","content":"…","action":"open","appid":"rx","appName":"处方","appLogo":"l","url":"https://x"}"#,
        &Notice {
            title: "处方单".into(),
            content: "…".into(),
            action: "open".into(),
            appid: "rx".into(),
            app_name: "处方".into(),
            app_logo: "l".into(),
            url: "https://x".into(),
            ext: None,
        },
    );
}

#[test]
fn numbers_and_texts_are_read_in_each_form() {
    let image = Image {
        storage_id: "12".into(),
        thumbnail_width: 100,
        thumbnail_height: 0,
        ..Image::default()
    };
    for json in [
        r#"{"storageId":12,"thumbnailWidth":"100","more":[1]}"#,
        r#"{"storageId":"12","thumbnailWidth":100.0,"thumbnailHeight":null,"thumbnail":null}"#,
        r#"{"storageId":"11","storageId":"12","thumbnailWidth":100,"thumbnailHeight":""}"#,
    ] {
        assert_eq!(read::<Image>(json.as_bytes()).expect("it is read"), image);
    }
    let file = read::<File>(br#"{"fileSize":1048576,"duration":"7"}"#).expect("it is read");
    assert_eq!(
        (file.file_size.as_str(), file.duration_secs),
        ("1048576", 7)
    );
    let place = read::<Location>(br#"{"latitude":"31.25","longitude":121}"#).expect("it is read");
    assert_eq!((place.latitude, place.longitude), (31.25, 121.0));
}

#[test]
fn what_has_no_number_is_refused() {
    for json in [
        r#"{"duration":"long"}"#,
        r#"{"duration":1.5}"#,
        r#"{"duration":[1]}"#,
        r#"{"duration":true}"#,
        r#"{"duration":"1.0"}"#,
        r#"{"duration":99999999999999999999}"#,
        r#"{"storageId":{}}"#,
        "[]",
        "7",
        "",
    ] {
        assert!(read::<Audio>(json.as_bytes()).is_err(), "{json}");
    }
    for json in [
        r#"{"latitude":"north"}"#,
        r#"{"latitude":"NaN"}"#,
        r#"{"latitude":"inf"}"#,
    ] {
        assert!(read::<Location>(json.as_bytes()).is_err(), "{json}");
    }
}

#[test]
fn extensions_are_kept() {
    let text = r#"{"text":"a","ext":{"mention":["u1"],"reply":{"id":"7"}}}"#;
    let value = read::<Text>(text.as_bytes()).expect("it is read");
    let ext = value.ext.as_ref().expect("there");
    assert_eq!(ext["mention"], json!(["u1"]));
    same(text, &value);
}

/// E.c: an invitation, and what passes through it.
#[test]
fn a_call() {
    let call = Call {
        status: "invite".into(),
        av_type: "video".into(),
        uid: "u1".into(),
        room_id: "r9".into(),
        timestamp_ms: 1_675_416_709_033,
        use_time_secs: 0,
        agora_key: "006abc".into(),
        ext: None,
    };
    same(
        r#"{"status":"invite","avType":"video","uid":"u1","roomId":"r9","timestamp":1675416709033,"useTime":0,"agoraKey":"006abc"}"#,
        &call,
    );
    // The sample's own key is a number.
    let number = r#"{"status":"","avType":"","uid":"","roomId":"","timestamp":0,"useTime":1675416709033,"agoraKey":1675416709033}"#;
    let read_back = read::<Call>(number.as_bytes()).expect("it is read");
    assert_eq!(read_back.agora_key, json!(1_675_416_709_033_i64));
    same(number, &read_back);

    same(
        r#"{"status":"invite","avType":"video","uid":"u1","roomId":"r9","timestamp":1675416709033,"useTime":0,"agoraKey":"006abc","ext":{"callId":"c","sdp":"v=0","candidate":{"a":1},"signal":[]}}"#,
        &Call {
            ext: Some(CallExt {
                call_id: Some("c".into()),
                sdp: Some("v=0".into()),
                candidate: Some(json!({"a": 1})),
                signal: Some(json!([])),
            }),
            ..call
        },
    );
}

#[test]
fn the_steps_of_a_call_have_their_names() {
    let names = CallStatus::ALL.map(CallStatus::name);
    let documented = [
        "invite",
        "answer",
        "refuse",
        "cancel",
        "timeout",
        "busy",
        "other_answer",
        "other_refuse",
        "hangup",
    ];
    assert_eq!(names, documented);
    for (status, name) in CallStatus::ALL.into_iter().zip(documented) {
        assert_eq!(CallStatus::from_name(name), Some(status));
    }
    assert_eq!(CallStatus::from_name("Invite"), None);
}
