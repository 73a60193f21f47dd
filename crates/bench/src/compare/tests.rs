//! Medians, ratios, and which reports belong together.

use serde_json::json;

use super::*;

fn report(pairs: u64, cpu: f64, rate: f64) -> Value {
    json!({
        "format": FORMAT, "scenario": "direct", "dialect": "wukong v5", "transport": "tcp",
        "settings": {"pairs": pairs}, "faults": [],
        "server": {"cpu_secs_per_million_messages": cpu, "written_bytes_per_message": 0.0},
        "load": {"achieved_per_s": rate, "unsent": null},
    })
}

fn row<'a>(comparison: &'a Comparison, pointer: &str) -> &'a Row {
    let rows = &comparison.groups[0].metrics;
    rows.iter()
        .find(|row| row.pointer == pointer)
        .expect(pointer)
}

#[test]
fn a_ratio_is_that_of_the_medians() {
    let a = [(10.0, 100.0), (30.0, 110.0), (20.0, 90.0)].map(|(cpu, rate)| report(5, cpu, rate));
    let b = [(11.0, 50.0), (10.0, 55.0), (9.0, 45.0)].map(|(cpu, rate)| report(5, cpu, rate));
    let comparison = Comparison::of(&a, &b);
    let cpu = row(&comparison, "/server/cpu_secs_per_million_messages");
    let spread = |median, min, max| Some(Spread { median, min, max });
    assert_eq!(cpu.a, spread(20.0, 10.0, 30.0));
    assert_eq!(cpu.b, spread(10.0, 9.0, 11.0));
    assert_eq!(cpu.ratio, Some(0.5));
    let (min, max) = cpu.pairs.expect("pairs");
    assert!((min - 1.0 / 3.0).abs() < 1e-9 && (max - 1.1).abs() < 1e-9);
    let first = comparison.groups[0].metrics[0].pointer;
    assert_eq!(first, "/server/cpu_secs_per_million_messages");
    assert_eq!(row(&comparison, "/load/achieved_per_s").ratio, Some(0.5));
}

#[test]
fn an_even_number_has_its_median_between() {
    let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0]).expect("values");
    assert_eq!((spread.median, spread.min, spread.max), (2.5, 1.0, 4.0));
    assert_eq!(Spread::of(&[]), None);
}

#[test]
fn only_what_is_told_is_shown() {
    let comparison = Comparison::of(&[report(5, 10.0, 100.0)], &[]);
    let pointers: Vec<_> = comparison.groups[0]
        .metrics
        .iter()
        .map(|row| row.pointer)
        .collect();
    let expected = [
        "/server/cpu_secs_per_million_messages",
        "/load/achieved_per_s",
    ];
    assert_eq!(pointers, expected);
    let text = comparison.to_string();
    assert!(!text.contains("B/A"), "{text}");
    assert!(text.contains("10.0 s (10.0 s – 10.0 s)"), "{text}");
}

#[test]
fn other_settings_are_another_group_and_uneven_numbers_no_pairs() {
    let a = [report(5, 10.0, 100.0), report(6, 10.0, 100.0)];
    let b = [report(5, 20.0, 100.0), report(5, 30.0, 100.0)];
    let comparison = Comparison::of(&a, &b);
    let sizes: Vec<_> = comparison
        .groups
        .iter()
        .map(|it| (it.a_reports, it.b_reports))
        .collect();
    assert_eq!(sizes, [(1, 2), (1, 0)]);
    let cpu = row(&comparison, "/server/cpu_secs_per_million_messages");
    assert_eq!((cpu.ratio, cpu.pairs), (Some(2.5), None));
}

#[test]
fn faults_of_a_report_are_told() {
    let mut bad = report(5, 10.0, 100.0);
    bad["faults"] = json!(["2 losses"]);
    let comparison = Comparison::of(&[report(5, 10.0, 100.0)], &[bad]);
    assert!(!comparison.is_sound());
    let text = comparison.to_string();
    assert!(text.contains("FAULT 1 of 1 reports of B"), "{text}");
    assert!(Comparison::of(&[report(5, 1.0, 1.0)], &[]).is_sound());
}

#[test]
fn files_that_are_no_reports_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        path
    };
    let good = write("good.json", &report(5, 1.0, 1.0).to_string());
    let compared = |a: &PathBuf| {
        let options = CompareOptions {
            a: vec![a.clone()],
            b: Vec::new(),
        };
        compare(&options, Some(&folder.path().join("out.json")))
    };
    compared(&good).expect("a report");
    let out = fs::read_to_string(folder.path().join("out.json")).expect("written");
    let out: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(out["groups"][0]["metrics"][0]["a"]["median"], 1.0);
    for (name, text) in [("old.json", "{\"format\":0}"), ("none.json", "x")] {
        let why = format!("{:#}", compared(&write(name, text)).expect_err(name));
        assert!(why.contains(name), "{why}");
    }
}
