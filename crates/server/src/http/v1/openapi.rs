//! The description of this interface as OpenAPI 3.1: what no single route can say.

use std::collections::BTreeMap;

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};

use super::idempotency::{self, KEY_CHARS};
use super::problem::{MEDIA_TYPE, ProblemBody};

/// The frame of the document; the routes bring themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Crosstalk",
        version = env!("CARGO_PKG_VERSION"),
        description = "The REST interface of Crosstalk. JSON throughout: times are ms since \
                       1970 and named `*_at`, message ids are decimal strings, lists come in \
                       pages (`limit`, `cursor`), errors are RFC 9457 problem details with a \
                       stable `code`. Members that are not known are ignored, and no body at \
                       all is read as `{}`. Ids of users and channels are 1 to 64 letters, \
                       digits and `_ . - =`, in Unicode's normal form C; `SYSTEM` and what \
                       begins with `____` are no users. Ids of channels of the kinds \
                       `customer_service`, `topic` and `agent` are two such ids, joined by `|`, \
                       `@` and `@`.",
    ),
    components(schemas(ProblemBody)),
    modifiers(&Credentials),
    tags(
        (name = "apps", description = "Credentials of applications"),
        (name = "moderation", description = "Word lists, reviews, bans, reports"),
        (name = "administration", description = "All users, broadcasts, sessions, statistics, the audit log"),
        (name = "users", description = "Users, their profiles, presence, tokens, sessions and block lists"),
        (name = "friends", description = "Friends, requests to become one, and friend groups"),
        (name = "channels", description = "Channels and their members"),
        (name = "joining", description = "Requests to join channels, invitations and links"),
        (name = "messages", description = "Sending and reading"),
        (name = "hooks", description = "Addresses of an application that are told what happens, \
                                        or asked before a message is accepted"),
        (name = "files", description = "Files, whole or in parts"),
        (name = "conversations", description = "A user's view of their channels"),
        (name = "search", description = "Finding messages, users and groups"),
    )
)]
pub(super) struct Document;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let schemes = [
            (
                "admin_key",
                "opaque",
                "The server's own key: everything. The header `X-App-Id` selects the app whose \
                 realm is meant (default: `default`).",
            ),
            (
                "app_secret",
                "opaque",
                "An app's secret: everything in its app's realm.",
            ),
            (
                "user_token",
                "JWT",
                "A user's token: their own data, under their uid or `me`, and the channels they \
                 belong to.",
            ),
        ];
        for (name, format, description) in schemes {
            let scheme = HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format(format)
                .description(Some(description))
                .build();
            components.add_security_scheme(name, SecurityScheme::Http(scheme));
        }
    }
}

type Answers = BTreeMap<String, RefOr<Response>>;

fn problems<const N: usize>(answers: [(&str, &str); N]) -> Answers {
    let problem = |why: &str| {
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("Problem")))
            .build();
        ResponseBuilder::new()
            .description(why)
            .content(MEDIA_TYPE, content)
            .build()
            .into()
    };
    answers
        .into_iter()
        .map(|(status, why)| (status.to_owned(), problem(why)))
        .collect()
}

/// What every route may answer.
pub(super) struct Denials;

impl IntoResponses for Denials {
    fn responses() -> Answers {
        problems([
            ("400", "The request cannot be read: `undecodable_content`"),
            (
                "401",
                "Credentials are missing, wrong, expired or revoked: `not_authenticated`",
            ),
            ("403", "The caller may not do this; `code` says why"),
            (
                "404",
                "The header `X-App-Id` names an app that does not exist: `no_such_app`",
            ),
            ("422", "A field is missing or wrong; `detail` names it"),
            ("500", "The server failed: `internal`"),
            ("503", "The server cannot do this now: `unavailable`"),
        ])
    }
}

/// What a route may answer whose path or body names something.
pub(super) struct Missing;

impl IntoResponses for Missing {
    fn responses() -> Answers {
        problems([(
            "404",
            "What was named does not exist, or the app of `X-App-Id` does not: `no_such_…`",
        )])
    }
}

/// What a route may answer that reads a body.
pub(super) struct Oversize;

impl IntoResponses for Oversize {
    fn responses() -> Answers {
        problems([("413", "The body is too large: `too_large`")])
    }
}

/// What a route may answer that creates something under a key of the caller's.
pub(super) struct Conflict;

impl IntoResponses for Conflict {
    fn responses() -> Answers {
        problems([(
            "409",
            "The key is taken by something else: `idempotency_conflict`",
        )])
    }
}

/// What a route may answer that has a rate limit.
pub(super) struct Throttled;

impl IntoResponses for Throttled {
    fn responses() -> Answers {
        problems([("429", "Too many requests: `rate_limited`")])
    }
}

/// Says on the routes of POST what a key does there.
pub(super) fn tell_of_keys(document: &mut utoipa::openapi::OpenApi) {
    let keyed = document.paths.paths.iter_mut();
    for (_, item) in keyed.filter(|(route, _)| idempotency::is_seen_to(route)) {
        let Some(operation) = &mut item.post else {
            continue;
        };
        let parameters = operation.parameters.get_or_insert_default();
        parameters.push(key_parameter().into());
        let answers = problems([
            (
                "409",
                "The key was used before: `idempotency_conflict`, `wrong_state` or \
                 `already_exists`",
            ),
            ("413", "The body is too large: `too_large`"),
            ("429", "Too many requests: `rate_limited`"),
        ]);
        for (status, answer) in answers {
            let documented = &mut operation.responses.responses;
            documented.entry(status).or_insert(answer);
        }
    }
}

fn key_parameter() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(KEY_CHARS))
        .pattern(Some("^[!-~]+$"));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "The caller's own name for this very request. Asked again with it within 24 hours, \
             the server does nothing and answers as it did, with the header \
             `Idempotency-Replayed: true`; what was refused or failed frees the key. With \
             another path, query or body: 409 `idempotency_conflict`. While the first still \
             runs: 409 `wrong_state` with `Retry-After`. If the answer was longer than 64 KiB: \
             409 `already_exists`.",
        ))
        .schema(Some(schema))
        .build()
}
