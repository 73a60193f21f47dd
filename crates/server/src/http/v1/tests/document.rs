//! The description of the interface.

use super::*;

/// Every operation with its method and path. What is no part of `/v1` answers in its own way.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let mut all = Vec::new();
    for (path, item) in paths.iter().filter(|(path, _)| path.starts_with("/v1/")) {
        for (method, operation) in item.as_object().expect("operations") {
            all.push((format!("{method} {path}"), operation));
        }
    }
    all
}

#[tokio::test]
async fn the_document_is_complete() {
    let rest = Rest::start().await;
    let document = &rest.document;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "Crosstalk");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let schemes = document["components"]["securitySchemes"]
        .as_object()
        .expect("schemes");
    let all = operations(document);
    assert!(all.len() > 100, "{} operations", all.len());
    for (name, operation) in all {
        assert!(operation["summary"].is_string(), "{name} has a summary");
        assert!(operation["tags"][0].is_string(), "{name} has a tag");
        for status in ["400", "401", "403", "404", "422", "500", "503"] {
            let content = &operation["responses"][status]["content"]["application/problem+json"];
            assert_eq!(
                content["schema"]["$ref"], "#/components/schemas/Problem",
                "{name} {status}"
            );
        }
        if operation.get("requestBody").is_some() {
            assert!(
                operation["responses"].get("413").is_some(),
                "{name} reads a body"
            );
        }
        for security in operation["security"].as_array().expect("security") {
            for scheme in security.as_object().expect("an object").keys() {
                assert!(schemes.contains_key(scheme), "{name} {scheme}");
            }
        }
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let rest = Rest::start().await;
    let mut open = vec![&rest.document];
    let mut found = 0;
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(to)) = members.get("$ref") {
                    let pointer = to.strip_prefix('#').expect("a local reference");
                    assert!(rest.document.pointer(pointer).is_some(), "{to}");
                    found += 1;
                }
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    assert!(found > 50);
}

#[tokio::test]
async fn path_parameters_are_described() {
    let rest = Rest::start().await;
    for (name, operation) in operations(&rest.document) {
        let holes: Vec<&str> = name.split(['{', '}']).skip(1).step_by(2).collect();
        let parameters = operation["parameters"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let described: Vec<&str> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        assert_eq!(holes, described, "{name}");
    }
}

#[tokio::test]
async fn the_addresses_of_files_are_described() {
    let rest = Rest::start().await;
    let operation = &rest.document["paths"]["/f/{id}"]["get"];
    assert_eq!(operation["security"], json!([{}]), "no login");
    let parameters = operation["parameters"].as_array().expect("parameters");
    let names: Vec<_> = parameters.iter().map(|it| it["name"].as_str()).collect();
    assert_eq!(names, ["id", "e", "s", "t", "m"].map(Some));
    let answers = operation["responses"].as_object().expect("answers");
    let statuses: Vec<_> = answers.keys().map(String::as_str).collect();
    assert_eq!(
        statuses,
        ["200", "206", "304", "400", "403", "404", "416", "503"]
    );
}
