//! The bodies of the HTTP interface, from E.c.

use crosstalk_wire::mqtt::im::app::{
    AccessToken, AppGroup, AppMessage, AppMessageSent, AppTag, TargetType, TokenRequest,
};
use crosstalk_wire::mqtt::im::background::Logout;
use crosstalk_wire::mqtt::im::pull::Pulled;
use crosstalk_wire::mqtt::im::register::{Device, OsType, Register, Registered, ServerAddress};
use crosstalk_wire::mqtt::im::reply::Reply;
use crosstalk_wire::mqtt::im::{MsgType, TypeForm, TypeTable, TypeValue, read};
use serde_json::json;

use super::same;

const REGISTER: &str = r#"{"tenantNo":"T001","userId":"u1","deviceId":"8f0c","os":2,"device":{"brand":"Xiaomi","model":"13","osVersion":"14","appVersion":"3.2.0"},"vendor":"xiaomi","pushToken":"xm-abc","typeFormat":"code"}"#;

#[test]
fn a_registration() {
    let register = Register {
        tenant_no: "T001".into(),
        user_id: "u1".into(),
        device_id: "8f0c".into(),
        os: OsType::Android,
        device: Some(Device {
            brand: "Xiaomi".into(),
            model: "13".into(),
            os_version: "14".into(),
            app_version: "3.2.0".into(),
        }),
        vendor: "xiaomi".into(),
        push_token: "xm-abc".into(),
        type_format: Some("code".into()),
    };
    same(REGISTER, &register);
    assert_eq!(register.missing(), None);
    assert_eq!(register.type_form(), Some(TypeForm::Code));
}

#[test]
fn the_answer_to_a_registration() {
    let registered = Registered {
        account: "a7k2m9q0x4tzp".into(),
        token: "t".into(),
        expires_at_ms: 1_677_000_000_000,
        server: ServerAddress {
            host: "im.example.com".into(),
            port: Some(1883),
            tls_port: Some(8883),
            ws_port: Some(8080),
            ws_path: "/mqtt".into(),
            keep_alive_secs: 60,
        },
        topic: "a7k2m9q0x4tzp".into(),
    };
    same(
        r#"{"code":200,"msg":"success","data":{"account":"a7k2m9q0x4tzp","token":"t","expiresAt":1677000000000,"server":{"host":"im.example.com","port":1883,"tlsPort":8883,"wsPort":8080,"wsPath":"/mqtt","keepAlive":60},"topic":"a7k2m9q0x4tzp"}}"#,
        &Reply::success(registered),
    );
    let off = ServerAddress::default();
    let json = serde_json::to_value(&off).expect("it has a form");
    assert_eq!(json["tlsPort"], json!(null));
}

/// T3-2.
#[test]
fn what_a_registration_needs() {
    for (json, missing) in [
        (r#"{"deviceId":"d"}"#, "userId"),
        (r#"{"userId":"","deviceId":"d"}"#, "userId"),
        (r#"{"userId":"u1"}"#, "deviceId"),
        (r#"{"userId":7,"deviceId":null}"#, "deviceId"),
    ] {
        let register = read::<Register>(json.as_bytes()).expect("it is read");
        assert_eq!(register.missing(), Some(missing), "{json}");
    }
    same(
        r#"{"code":400,"msg":"userId不能为空"}"#,
        &Reply::<Registered>::missing("userId"),
    );
}

/// T3-7.
#[test]
fn systems_are_read_from_number_and_name() {
    for (json, os) in [
        ("1", 1),
        ("2", 2),
        ("3", 3),
        ("4", 4),
        (r#""ANDROID""#, 2),
        (r#""ios""#, 1),
        (r#""3""#, 3),
        ("77", -1),
        (r#""BeOS""#, -1),
        ("null", -1),
        ("1.5", -1),
        ("{}", -1),
        ("-1", -1),
    ] {
        let json = format!(r#"{{"os":{json}}}"#);
        let register = read::<Register>(json.as_bytes()).expect("it is read");
        assert_eq!(register.os.code(), os, "{json}");
    }
    assert_eq!(
        read::<Register>(b"{}").expect("it is read").os,
        OsType::Unknown
    );
}

#[test]
fn forms_of_type_that_a_device_may_want() {
    for (format, form) in [
        (r#""code""#, Some(TypeForm::Code)),
        (r#""string""#, Some(TypeForm::String)),
        (r#""name""#, Some(TypeForm::Name)),
        (r#""roman""#, None),
        ("null", None),
    ] {
        let json = format!(r#"{{"typeFormat":{format}}}"#);
        let register = read::<Register>(json.as_bytes()).expect("it is read");
        assert_eq!(register.type_form(), form);
    }
}

#[test]
fn what_applications_call() {
    let request = TokenRequest {
        app_id: "app1".into(),
        app_secret: "open sesame".into(),
    };
    same(r#"{"appId":"app1","appSecret":"open sesame"}"#, &request);
    assert!(!format!("{request:?}").contains("sesame"));
    let token = AccessToken {
        access_token: "t".into(),
        expires_in_secs: 7200,
    };
    same(
        r#"{"code":200,"msg":"success","data":{"accessToken":"t","expiresIn":7200}}"#,
        &Reply::success(token),
    );
    same(
        r#"{"groupId":"g1","name":"一组","members":["u1","u2"]}"#,
        &AppGroup {
            group_id: "g1".into(),
            name: "一组".into(),
            members: vec!["u1".into(), "u2".into()],
        },
    );
    same(
        r#"{"tag":"doctor","users":["u1"]}"#,
        &AppTag {
            tag: "doctor".into(),
            users: vec!["u1".into()],
        },
    );
    same(
        r#"{"deviceId":"8f0c"}"#,
        &Logout {
            device_id: "8f0c".into(),
        },
    );
    let sent = AppMessageSent {
        id: "7".into(),
        accepted: 1,
    };
    same(r#"{"id":"7","accepted":1}"#, &sent);
}

#[test]
fn a_message_of_an_application() {
    let json = r#"{"targetType":"user","target":["u1"],"type":9,"content":{"title":"处方单"},"push":true}"#;
    let message = AppMessage {
        target_type: Some(TargetType::User),
        target: vec!["u1".into()],
        kind: json!(9),
        content: json!({"title": "处方单"}),
        push: Some(true),
    };
    same(json, &message);
    let table = TypeTable::default();
    let kind = TypeValue::from_json(&message.kind, &table);
    assert_eq!(kind, Some((MsgType::App.into(), TypeForm::Code)));

    for (json, target_type, targets) in [
        (r#"{"targetType":"all"}"#, Some(TargetType::All), 0),
        (
            r#"{"targetType":"tag","target":"doctor"}"#,
            Some(TargetType::Tag),
            1,
        ),
        (
            r#"{"targetType":"group","target":[1,"2"]}"#,
            Some(TargetType::Group),
            2,
        ),
        (r#"{"targetType":"moon"}"#, None, 0),
        ("{}", None, 0),
    ] {
        let message = read::<AppMessage>(json.as_bytes()).expect("it is read");
        assert_eq!(
            (message.target_type, message.target.len()),
            (target_type, targets)
        );
    }
}

#[test]
fn the_answer_to_a_pull() {
    let json = r#"{"code":200,"msg":"success","data":{"count":2,"more":false,"cursor":"c"}}"#;
    let reply = read::<Reply<Pulled>>(json.as_bytes()).expect("it is read");
    assert_eq!(serde_json::to_string(&reply).expect("it has a form"), json);
    let pulled = reply.data.expect("there");
    assert_eq!(
        (pulled.count, pulled.more, pulled.messages.is_none()),
        (2, false, true)
    );

    let with_messages =
        r#"{"count":1,"more":true,"cursor":"c","messages":[{"id":"1","content":{ "a":1.0 }}]}"#;
    let pulled = serde_json::from_str::<Pulled>(with_messages).expect("it is read");
    assert_eq!(
        serde_json::to_string(&pulled).expect("it has a form"),
        with_messages
    );
}
