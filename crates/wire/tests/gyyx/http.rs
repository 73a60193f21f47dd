//! The bodies of the HTTP routes.

use crosstalk_wire::gyyx::{
    ChatSignRequest, HttpError, Parameters, RequestFault, SignRequest, SignShape, chat_sign_answer,
    sign_answer, upload_answer,
};

const URL: &str = "ws://10.0.0.5:80?appId=1477358668&msgType=10";

#[test]
fn a_url_is_asked_for_in_three_ways() {
    let expected = SignRequest {
        app_id: "1477358668".into(),
        user_id: "48057".into(),
        version: "1.10".into(),
    };
    for parameters in [
        Parameters::Form("appId=1477358668&userId=48057"),
        Parameters::Form("appId=1477358668&userId=48057&version=1.10&x=y"),
        Parameters::Json(r#"{"appId":1477358668,"userId":"48057"}"#),
        Parameters::Json(r#"{"appId":"1477358668","userId":48057,"version":"1.10","x":[]}"#),
    ] {
        assert_eq!(SignRequest::read(parameters), Ok(expected.clone()));
    }
    for (parameters, fault) in [
        (Parameters::Form(""), RequestFault::Missing("appId")),
        (Parameters::Form("appId=1"), RequestFault::Missing("userId")),
        (Parameters::Json("{}"), RequestFault::Missing("appId")),
        (
            Parameters::Json(r#"{"appId":{},"userId":1}"#),
            RequestFault::Missing("appId"),
        ),
        (Parameters::Json("[]"), RequestFault::NotJson),
        (Parameters::Json("appId=1"), RequestFault::NotJson),
    ] {
        assert_eq!(SignRequest::read(parameters), Err(fault), "{parameters:?}");
    }
}

#[test]
fn the_answer_has_three_shapes() {
    for (shape, content_type, text) in [
        (
            SignShape::Data,
            "application/json; charset=utf-8",
            format!(
                r#"{{"code":200,"message":"success","data":"{URL}","url":"{URL}","heartbeat":30}}"#
            ),
        ),
        (
            SignShape::Object,
            "application/json; charset=utf-8",
            format!(
                r#"{{"code":200,"message":"success","data":{{"url":"{URL}","heartbeat":30}},"url":"{URL}","heartbeat":30}}"#
            ),
        ),
        (
            SignShape::Plain,
            "text/plain; charset=utf-8",
            URL.to_owned(),
        ),
    ] {
        let body = sign_answer(URL, 30, shape);
        assert_eq!((body.content_type, body.text), (content_type, text));
    }
}

#[test]
fn chat_signatures_and_uploads() {
    let expected = ChatSignRequest {
        app_id: "7".into(),
        user_id: "a".into(),
        receive_user_id: "group:g1".into(),
    };
    let json = r#"{"appId":7,"userId":"a","receiveUserId":"group:g1"}"#;
    assert_eq!(
        ChatSignRequest::read(Parameters::Json(json)),
        Ok(expected.clone())
    );
    let form = "appId=7&userId=a&receiveUserId=group%3Ag1";
    assert_eq!(ChatSignRequest::read(Parameters::Form(form)), Ok(expected));
    assert_eq!(
        ChatSignRequest::read(Parameters::Form("appId=7&userId=a")),
        Err(RequestFault::Missing("receiveUserId"))
    );
    assert_eq!(
        chat_sign_answer("1.ab").text,
        r#"{"code":200,"message":"success","data":{"receiveSign":"1.ab"}}"#
    );
    assert_eq!(
        upload_answer("f1").text,
        r#"{"code":200,"message":"success","data":{"fileId":"f1"}}"#
    );
}

#[test]
fn refusals_have_a_code() {
    for (error, text) in [
        (
            HttpError::BadRequest,
            r#"{"code":400,"message":"参数错误"}"#,
        ),
        (HttpError::NotLoggedIn, r#"{"code":401,"message":"未登录"}"#),
        (HttpError::Forbidden, r#"{"code":403,"message":"无权限"}"#),
        (
            HttpError::TooMany,
            r#"{"code":429,"message":"请求过于频繁"}"#,
        ),
        (
            HttpError::Unavailable,
            r#"{"code":503,"message":"服务不可用"}"#,
        ),
    ] {
        assert_eq!(error.body().text, text);
    }
}
