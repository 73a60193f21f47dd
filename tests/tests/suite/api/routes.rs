//! What each caller is told by each route.

/// A route, a request for it, and what callers are told.
pub(super) struct Route {
    /// As the description has it.
    pub(super) route: &'static str,
    /// The request's path. `@name` stands for a thing of the scene (`fixture`).
    pub(super) path: &'static str,
    /// The request's JSON.
    pub(super) body: Option<&'static str>,
    /// A letter for each of `fixture::CALLERS`: `+` it is done, `u` 401, `f` 403, `n` 404,
    /// `w` 409, `x` 422, `b` 400.
    pub(super) expect: &'static str,
}

const fn route(
    route: &'static str,
    path: &'static str,
    body: Option<&'static str>,
    expect: &'static str,
) -> Route {
    Route {
        route,
        path,
        body,
        expect,
    }
}

/// All routes. Callers: nobody, stranger, member, administrator, owner, app, admin key, app of
/// another realm.
pub(super) const ROUTES: &[Route] = &[
    // Apps.
    route("GET /v1/apps", "/v1/apps", None, "ufffff+f"),
    route(
        "POST /v1/apps",
        "/v1/apps",
        Some(r#"{"app_id":"@fresh"}"#),
        "ufffff+f",
    ),
    route(
        "POST /v1/apps/{app_id}/secret",
        "/v1/apps/@app/secret",
        Some("{}"),
        "ufffff+f",
    ),
    // Channels and their members.
    route(
        "GET /v1/channels/{kind}/{id}",
        "/v1/channels/group/@group",
        None,
        "uf+++++n",
    ),
    route(
        "PUT /v1/channels/{kind}/{id}",
        "/v1/channels/group/@group",
        Some(r#"{"name":"n"}"#),
        "uffff+++",
    ),
    route(
        "GET /v1/channels/{kind}/{id}/members",
        "/v1/channels/group/@group/members",
        None,
        "uf+++++n",
    ),
    route(
        "POST /v1/channels/{kind}/{id}/members",
        "/v1/channels/group/@group/members",
        Some(r#"{"members":["@user"]}"#),
        "uffff++n",
    ),
    route(
        "DELETE /v1/channels/{kind}/{id}/members/{uid}",
        "/v1/channels/group/@group/members/@peer",
        None,
        "uffff++n",
    ),
    route(
        "GET /v1/channels/{kind}/{id}/messages",
        "/v1/channels/group/@group/messages",
        None,
        "uf++++++",
    ),
    // Files.
    route("POST /v1/files", "/v1/files", Some("{}"), "ubbbbbbb"),
    route("GET /v1/files/{id}", "/v1/files/@file", None, "un+++++n"),
    route(
        "DELETE /v1/files/{id}",
        "/v1/files/@file",
        None,
        "unff+++n",
    ),
    route(
        "GET /v1/files/{id}/meta",
        "/v1/files/@file/meta",
        None,
        "un+++++n",
    ),
    // It is no image.
    route(
        "GET /v1/files/{id}/thumbnail",
        "/v1/files/@file/thumbnail",
        None,
        "unnnnnnn",
    ),
    route(
        "POST /v1/files/{id}/url",
        "/v1/files/@file/url",
        Some("{}"),
        "un+++++n",
    ),
    route(
        "POST /v1/uploads",
        "/v1/uploads",
        Some(r#"{"size":5,"name":"n"}"#),
        "u+++++++",
    ),
    route(
        "HEAD /v1/uploads/{id}",
        "/v1/uploads/@upload",
        None,
        "unnn+++n",
    ),
    // Without the header that says where it goes on.
    route(
        "PATCH /v1/uploads/{id}",
        "/v1/uploads/@upload",
        Some("{}"),
        "uxxxxxxx",
    ),
    route(
        "DELETE /v1/uploads/{id}",
        "/v1/uploads/@upload",
        None,
        "unnn+++n",
    ),
    // Messages.
    route(
        "POST /v1/messages",
        "/v1/messages",
        Some(r#"{"to":{"kind":"group","id":"@group"},"content":{"type":"text","text":"hi"}}"#),
        "uf++++++",
    ),
    route(
        "GET /v1/messages/{id}",
        "/v1/messages/@message",
        None,
        "un+++++n",
    ),
    route(
        "POST /v1/messages/{id}/revoke",
        "/v1/messages/@message/revoke",
        Some("{}"),
        "un+f+++n",
    ),
    // Users.
    route("GET /v1/users/{uid}", "/v1/users/member", None, "uf+ff++n"),
    route(
        "PUT /v1/users/{uid}",
        "/v1/users/member",
        Some("{}"),
        "uf+ff+++",
    ),
    route(
        "GET /v1/users/{uid}/blacklist",
        "/v1/users/member/blacklist",
        None,
        "uf+ff+++",
    ),
    route(
        "PUT /v1/users/{uid}/blacklist/{other}",
        "/v1/users/member/blacklist/@user",
        None,
        "uf+ff++n",
    ),
    route(
        "DELETE /v1/users/{uid}/blacklist/{other}",
        "/v1/users/member/blacklist/@user",
        None,
        "uf+ff+++",
    ),
    route(
        "GET /v1/users/{uid}/conversations",
        "/v1/users/member/conversations",
        None,
        "uf+ff+++",
    ),
    route(
        "POST /v1/users/{uid}/conversations/{kind}/{id}/read",
        "/v1/users/member/conversations/group/@group/read",
        Some("{}"),
        "uf+ff++n",
    ),
    route(
        "GET /v1/users/{uid}/sessions",
        "/v1/users/member/sessions",
        None,
        "uf+ff+++",
    ),
    route(
        "POST /v1/users/{uid}/tokens",
        "/v1/users/member/tokens",
        Some("{}"),
        "uffff+++",
    ),
    route(
        "POST /v1/users/{uid}/tokens/revoke",
        "/v1/users/@user/tokens/revoke",
        Some("{}"),
        "uffff++n",
    ),
];
