//! Laws of the next change: nothing changes before it, and something flips there.

use super::*;
use proptest::prelude::*;

fn solved(source: &str) -> Expression {
    match compile_with(source, &Declared, Options { condition_wanted: true, solve_now: true }) {
        Ok(compiled) => compiled.expression,
        Err(problems) => panic!("{source}: {}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
    }
}

#[test]
fn the_next_change_is_the_exact_instant() {
    let facts = Facts::new(
        r#"{"profile": {"traits": {"seen": "2026-03-01T00:00:00Z", "tags": ["2026-03-02T00:00:00Z", "x", "2026-03-01T12:00:00Z"]}}}"#,
    );
    for (source, wanted) in [
        ("now - traits.seen > duration(\"30d\")", "2026-03-31T00:00:00.001Z"),
        ("now - traits.seen >= duration(\"30d\")", "2026-03-31T00:00:00Z"),
        ("traits.seen < now - duration(\"7d\")", "2026-03-08T00:00:00.001Z"),
        ("now > traits.seen + duration(\"1d\")", "2026-03-02T00:00:00.001Z"),
        ("traits.seen - now < duration(\"-1d\")", "2026-03-02T00:00:00.001Z"),
        ("traits.seen + duration(\"1d\") <= now", "2026-03-02T00:00:00Z"),
        ("now < timestamp(\"2026-03-05T00:00:00Z\")", "2026-03-05T00:00:00Z"),
        ("now <= \"2026-03-05T00:00:00Z\"", "2026-03-05T00:00:00.001Z"),
        ("now == timestamp(\"2026-03-05T00:00:00Z\")", "2026-03-05T00:00:00Z"),
        ("now - traits.seen + (now - traits.seen) >= duration(\"30d\")", "2026-03-16T00:00:00Z"),
        ("timestamp(now) >= timestamp(traits.seen) + duration(\"1d\")", "2026-03-02T00:00:00Z"),
        ("now >= \"2026-04-01T00:00:00Z\" || !(now < \"2026-03-05T00:00:00Z\")", "2026-03-05T00:00:00Z"),
        ("traits.tags.exists(t, now >= t)", "2026-03-01T12:00:00Z"),
        ("size(traits.tags.filter(t, now >= t)) > 1", "2026-03-01T12:00:00Z"),
        ("traits.tags.filter(t, now >= t).exists(t, now >= timestamp(t) + duration(\"1d\"))", "2026-03-01T12:00:00Z"),
        ("(now >= \"2026-03-02T00:00:00Z\" ? now : now - duration(\"9d\")) >= \"2026-03-02T00:00:00Z\"", "2026-03-02T00:00:00Z"),
        ("(traits.none ? now : now + duration(\"1d\")) >= \"2026-03-05T00:00:00Z\"", "2026-03-04T00:00:00Z"),
        ("now > traits.seen", "-"),
        ("now > traits.none", "-"),
        ("now - traits.none > duration(\"1d\")", "-"),
        ("now - now > duration(\"1d\")", "-"),
        ("now - traits.seen > traits.seen2", "-"),
        ("traits.orders > 3", "-"),
    ] {
        let change = solved(source).next_change(&facts, facts.now);
        assert_eq!(change.map_or("-".to_owned(), |at| at.to_string()), wanted, "{source}");
    }
}

#[test]
fn a_use_of_now_whose_effect_is_not_known_ahead_is_refused_for_audiences() {
    for source in [
        "now.getHours() > 9",
        "now == traits.seen && now.getDayOfWeek() in [0, 6]",
        "now in [traits.seen]",
        "int(now) > 5",
        "string(now) == \"x\"",
        "has(traits.x) && size(string(now - traits.seen)) > 3",
        "[now - traits.seen][0] > duration(\"1d\")",
        "duration(string(now)) > duration(\"1d\")",
    ] {
        let problems = compile_with(source, &Declared, Options { condition_wanted: true, solve_now: true }).expect_err(source);
        assert!(problems.iter().all(|problem| problem.code == "condition-now-unsolvable"), "{source}: {problems:?}");
        let place = problems[0].place;
        assert_eq!(&source[place.start..place.end], "now", "{source}");
        assert!(compile_condition(source, &Declared).is_ok(), "{source}");
    }
}

/// Small numbers of milliseconds, so that equality and off-by-one happen often.
fn milli() -> impl Strategy<Value = i64> {
    -12i64..12
}

/// `{at}` is an instant or null.
fn instant() -> impl Strategy<Value = String> {
    prop_oneof![
        milli().prop_map(|at| format!("timestamp(\"{}\")", Timestamp(at))),
        Just("profile.a.seen".to_owned()),
        Just("profile.b.text".to_owned()),
        Just("profile.none".to_owned()),
        Just("now".to_owned()),
        Just("timestamp(now)".to_owned()),
    ]
}

fn span() -> impl Strategy<Value = String> {
    prop_oneof![
        (-9i64..9).prop_map(|by| format!("duration(\"{}{}ms\")", if by < 0 { "-" } else { "" }, by.abs())),
        Just("profile.c.patience".to_owned()),
        (instant(), instant()).prop_map(|(left, right)| format!("(timestamp({left}) - {right})")),
    ]
}

fn comparison() -> impl Strategy<Value = String> {
    let operator = prop_oneof![Just("<"), Just("<="), Just(">"), Just(">="), Just("=="), Just("!=")];
    let moved = (instant(), prop_oneof![Just("+"), Just("-")], span()).prop_map(|(at, sign, by)| format!("timestamp({at}) {sign} {by}"));
    let instants = prop_oneof![instant(), moved];
    let spans = prop_oneof![span(), (span(), span()).prop_map(|(left, right)| format!("{left} + {right}"))];
    prop_oneof![
        (instants.clone(), operator.clone(), instants).prop_map(|(left, operator, right)| format!("{left} {operator} {right}")),
        (spans.clone(), operator, spans).prop_map(|(left, operator, right)| format!("{left} {operator} {right}")),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    comparison().prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left} && {right})")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left} || {right})")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("(({left}) == ({right}))")),
            inner.clone().prop_map(|inner| format!("!({inner})")),
            inner.prop_map(|inner| format!("[{inner}].exists(x, x)")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn brute_force_finds_the_same_changes(source in condition(), now in -20i64..20, seen in milli(), text in milli(), patience in 0i64..9) {
        let expression = solved(&source);
        let values = format!(
            r#"{{"profile": {{"a": {{"seen": "{}"}}, "b": {{"text": "{}"}}, "c": {{"patience": "{patience}ms"}}}}}}"#,
            Timestamp(seen), Timestamp(text)
        );
        let mut facts = Facts::new(&values);
        let mut at = |milli: i64| { facts.now = Timestamp(milli); expression.holds(&facts) };
        const END: i64 = 120;
        let today = at(now);
        let first_other = (now + 1..END).find(|milli| at(*milli) != today);
        let facts = Facts { now: Timestamp(now), ..Facts::new(&values) };
        let change = expression.next_change(&facts, Timestamp(now)).map(|at| at.0);
        prop_assert!(change.is_none_or(|change| change > now));
        // A flip inside need not change the whole, but the whole cannot change before a flip.
        match (change, first_other) {
            (None, Some(other)) => prop_assert!(false, "no change announced, but it changed at {other}: {source}"),
            (Some(change), Some(other)) => prop_assert!(change <= other, "announced {change}, changed at {other}: {source}"),
            (_, None) => {}
        }
    }

    #[test]
    fn a_single_comparison_flips_exactly_where_announced(source in comparison(), now in -20i64..20, seen in milli(), text in milli()) {
        let expression = solved(&source);
        let values = format!(r#"{{"profile": {{"a": {{"seen": "{}"}}, "b": {{"text": "{}"}}}}}}"#, Timestamp(seen), Timestamp(text));
        let at = |milli: i64| expression.holds(&Facts { now: Timestamp(milli), ..Facts::new(&values) });
        let facts = Facts { now: Timestamp(now), ..Facts::new(&values) };
        let brute = (now + 1..120).find(|milli| at(*milli) != at(now));
        prop_assert_eq!(expression.next_change(&facts, Timestamp(now)).map(|at| at.0), brute, "{}", source);
    }
}
