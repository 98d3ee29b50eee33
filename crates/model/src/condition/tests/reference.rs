//! The `cel` crate's interpreter as the reference, over what both languages mean alike:
//! whole numbers, texts, conditions, lists and maps, without nulls, division and mixed kinds.

#![expect(clippy::disallowed_types, reason = "the reference takes its maps as HashMap")]

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

const NUMBERS: [(&str, i64); 3] = [("n", 3), ("m", -7), ("z", 0)];
const TEXTS: [(&str, &str); 3] = [("s", "gold"), ("t", "old"), ("e", "")];

fn number() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        (-20i64..20).prop_map(|number| format!("({number})")),
        prop::sample::select(&NUMBERS[..]).prop_map(|(name, _)| format!("event.{name}")),
        prop::sample::select(vec!["size(event.list)", "size(event.s)", "event.list[1]", "event[\"n\"]", "size(\"h\u{e9}\")", "x", "0x1f"])
            .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        // Without brackets now and then, so that precedence is compared as well.
        prop_oneof![
            (inner.clone(), prop_oneof![Just("+"), Just("-"), Just("*")], inner.clone())
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            (inner.clone(), inner.clone(), 1i64..9, inner.clone()).prop_map(|(a, b, c, d)| format!("({a} + {b} % {c} - {d} * -{c} * {a})")),
            (inner.clone(), 1i64..9).prop_map(|(left, right)| format!("({left} % {right})")),
            inner.clone().prop_map(|inner| format!("-({inner})")),
        ]
    })
    .boxed()
}

fn text() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        "[a-c ]{0,3}".prop_map(|text| format!("\"{text}\"")),
        Just(r#"'\x61\n\u0062\101'"#.to_owned()),
        Just(r#"r"\n""#.to_owned()),
        prop::sample::select(&TEXTS[..]).prop_map(|(name, _)| format!("event.{name}")),
        prop::sample::select(&TEXTS[..]).prop_map(|(name, _)| format!("event.map[\"{name}\"]")),
    ];
    let joined = (leaf.clone(), leaf.clone()).prop_map(|(left, right)| format!("({left} + {right})"));
    prop_oneof![3 => leaf, 1 => joined].boxed()
}

fn condition() -> BoxedStrategy<String> {
    let order = || prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let search = prop::sample::select(vec!["contains", "startsWith", "endsWith"]);
    let leaf = prop_oneof![
        (number(), order(), number()).prop_map(|(left, operator, right)| format!("{left} {operator} {right}")),
        (text(), order(), text()).prop_map(|(left, operator, right)| format!("{left} {operator} {right}")),
        (text(), search, text()).prop_map(|(text, function, part)| format!("{text}.{function}({part})")),
        (text(), "[a-c][*+?]?").prop_map(|(text, pattern)| format!("{text}.matches(\"^{pattern}\")")),
        (number(), number()).prop_map(|(left, right)| format!("{left} in [{right}, 3, x]")),
        (text(), Just("in")).prop_map(|(text, _)| format!("{text} in event.map")),
        (number(), number()).prop_map(|(left, right)| format!("[{left}, {right}] == event.list")),
        Just("has(event.s)".to_owned()),
        Just("has(event.map.nothing)".to_owned()),
        Just("event.yes".to_owned()),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left} && {right})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} || {b} && {c})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            inner.clone().prop_map(|inner| format!("!({inner})")),
            inner.prop_map(|inner| format!("!!({inner})")),
        ]
    })
    .boxed()
}

/// One loop around everything, which also binds the `x` of the numbers.
fn expression() -> impl Strategy<Value = String> {
    let list = prop::sample::select(vec!["event.list", "[1, 2, 3]", "[5]", "event.none"]);
    (list, prop::sample::select(vec!["all", "exists", "exists_one"]), condition(), number()).prop_flat_map(
        |(list, function, body, mapped)| {
            prop::sample::select(vec![
                format!("{list}.{function}(x, {body})"),
                format!("size({list}.filter(x, {body})) > 1"),
                format!("{list}.map(x, {mapped}) == [1, 2, 3] || {list}.exists(x, {body})"),
                format!("size({list}.map(x, {body}, {mapped})) == 1"),
            ])
        },
    )
}

fn reference_answer(source: &str) -> Result<bool, String> {
    let mut event: HashMap<String, cel::Value> = HashMap::new();
    NUMBERS.iter().for_each(|(name, number)| drop(event.insert((*name).to_owned(), cel::Value::Int(*number))));
    TEXTS.iter().for_each(|(name, text)| drop(event.insert((*name).to_owned(), cel::Value::from(*text))));
    let list = |items: &[i64]| cel::Value::List(items.iter().map(|item| cel::Value::Int(*item)).collect::<Vec<_>>().into());
    let map: HashMap<String, cel::Value> = TEXTS.iter().map(|(name, text)| ((*name).to_owned(), cel::Value::from(*text))).collect();
    event.insert("list".to_owned(), list(&[3, 2, 5]));
    event.insert("none".to_owned(), list(&[]));
    event.insert("map".to_owned(), cel::Value::from(map));
    event.insert("yes".to_owned(), cel::Value::Bool(true));
    let mut context = cel::Context::default();
    context.add_variable_from_value("event", event);
    let program = cel::Program::compile(source).map_err(|error| error.to_string())?;
    match program.execute(&context).map_err(|error| error.to_string())? {
        cel::Value::Bool(answer) => Ok(answer),
        other => Err(format!("{other:?} is no condition")),
    }
}

fn facts() -> Facts {
    Facts::new(
        r#"{"event": {"n": 3, "m": -7, "z": 0, "s": "gold", "t": "old", "e": "", "yes": true, "list": [3, 2, 5], "none": [],
            "map": {"s": "gold", "t": "old", "e": ""}}}"#,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_reference_interpreter_gives_the_same_answers(source in expression()) {
        match reference_answer(&source) {
            Ok(answer) => prop_assert_eq!(compiled(&source).holds(&facts()), answer, "{}", source),
            Err(error) => prop_assert!(false, "the reference cannot answer {source}: {error}"),
        }
    }

    #[test]
    fn any_text_is_compiled_or_refused_without_a_panic(source in "[ a-z0-9().,\\[\\]{}\"'`\\\\!&|<>=+*/%?:-]{0,60}") {
        let _ = compile_with(&source, &Declared, Options { condition_wanted: true, solve_now: true });
    }

    #[test]
    fn any_row_of_tokens_is_compiled_or_refused_without_a_panic(tokens in prop::collection::vec(prop::sample::select(vec![
        "event", "now", ".", "x", "(", ")", "[", "]", "{", "}", ":", ",", "?", "!", "-", "+", "==", "<", "in", "&&", "||", "1", "\"a\"",
        "true", "null", "has", ".exists(x,", ".map(x,", "size(", "duration(\"1d\")", "\u{e9}", "\"\\",
    ]), 0..24)) {
        let source = tokens.join(" ");
        if let Ok(compiled) = compile_with(&source, &Declared, Options::default()) {
            let _ = (compiled.expression.evaluate(&facts()), compiled.expression.explain(&facts()));
            let _ = compiled.expression.next_change(&facts(), Timestamp(0));
        }
        let _ = reference_agrees_on_syntax(&source);
    }
}

/// What the reference reads as CEL is read here too, but for what is left out on purpose.
fn reference_agrees_on_syntax(source: &str) -> bool {
    cel::Program::compile(source).is_err()
        || compile(source, &Declared).err().is_none_or(|problems| problems.iter().all(|problem| problem.code != "condition-syntax"))
}
