//! What the author of a condition is told: exact messages, their places, and their pages.

use super::*;
use std::fmt::Write;

const BROKEN: &[&str] = &[
    // Reading.
    "",
    "event.name ==",
    "event.name = \"Order\"",
    "event.name == \"Order",
    "event.name == “Order”",
    "profile.traits.orders > 3 and profile.traits.vip",
    "not profile.traits.vip",
    "profile.traits.orders >= 3 & profile.traits.vip | true;",
    "(profile.traits.orders > 3",
    "profile.traits.orders > 3)",
    "profile..traits",
    "profile.traits.tier == \"a\\qb\"",
    "profile.traits.tier == b\"gold\"",
    "[1, 2",
    "{\"a\" 1}",
    "profile.traits.orders > 12345678901234567890123456789012345",
    "now - profile.traits.seen > 30d",
    "event.`a b",
    "# remark",
    // Names and functions.
    "profil.traits.tier == \"gold\"",
    "user.tier == \"gold\"",
    "event.name == Order",
    "profile.traits.vip == True",
    "case.state == \"open\"",
    "profile.traits.ghost == 1 && profile.traits.orders == \"x\"",
    "profile.traits.tier.startswith(\"g\")",
    "profile.traits.tier.frobnicate()",
    "length(profile.traits.tier) > 3",
    "contains(profile.traits.tier, \"x\")",
    "profile.traits.tier.double() > 1",
    "now() > profile.traits.seen",
    "profile.traits.tier.contains()",
    "size(profile.traits.tier, 1) > 1",
    "has(profile)",
    "has(profile.traits.a, profile.traits.b)",
    // Kinds.
    "profile.traits.orders + \"x\" > true",
    "profile.traits.orders > \"5\"",
    "profile.traits.tier < 5",
    "profile.traits.vip == \"true\"",
    "profile.traits.vip > 1",
    "profile.traits.seen > 5",
    "profile.traits.seen > \"yesterday\"",
    "profile.traits.seen < \"30d\"",
    "now - \"30d\" > profile.traits.seen",
    "now - profile.traits.seen > \"30d\"",
    "now - profile.traits.seen > 30",
    "now - duration(\"1d\") > duration(\"1d\")",
    "now + now == now",
    "profile.traits.orders > null",
    "profile.traits.orders && true",
    "profile.traits.vip || profile.traits.tier",
    "!profile.traits.tier",
    "-profile.traits.tier == 1",
    "profile.traits.vip ? 1 : \"x\"",
    "profile.traits.orders ? true : false",
    "\"a\" in profile.traits.tier",
    "1 in profile.traits.tags",
    "1 in profile.traits.address",
    "\"a\" in 5",
    "profile.traits.tags > [\"a\"]",
    "profile.traits.tags == \"a\"",
    "profile.traits.tags[\"a\"] == \"x\"",
    "profile.traits.tags.first == \"x\"",
    "profile.traits.address[0] == \"x\"",
    "profile.traits.orders[0] == 1",
    "{1: 2}[\"a\"] == 2",
    "profile.traits.tags.contains(\"a\")",
    "profile.traits.orders.contains(\"a\")",
    "profile.traits.tier * 2 > 4",
    "size(profile.traits.orders) > 1",
    // Constants.
    "now - profile.traits.seen > duration(\"30 days\")",
    "profile.traits.seen > timestamp(\"2026-02-30T00:00:00Z\")",
    "now.getHours(\"Berlin\") > 9",
    "profile.traits.tier.matches(\"(\")",
    "profile.traits.tier.matches(\"\\\\w{1000}{1000}\")",
    "profile.traits.tier.matches(profile.traits.pattern)",
    "profile.traits.orders > 1 / 0",
    "int(\"many\") == profile.traits.orders",
    // Loops.
    "profile.traits.tags.exists(\"a\")",
    "profile.traits.tags.exists(t, size(t))",
    "profile.traits.tier.exists(t, true)",
    "profile.traits.a.exists(x, profile.traits.b.exists(y, x == y))",
    "profile.traits.a.map(x, [x, x]).map(x, [x, x]) == []",
    "profile.traits.a.exists(item, itme == 1)",
    // The whole.
    "profile.traits.orders",
    "profile.traits.tier",
    "now",
    "now.getHours() > 9",
    "profil.a == 1 && profile.traits.tier > 5 || profile.traits.tier.foo() && now.getHours() > 9",
];

fn compile_strictly(source: &str) -> Result<Compiled, Vec<Problem>> {
    compile_with(source, &Declared, Options { condition_wanted: true, solve_now: true })
}

#[test]
fn every_mistake_is_told_with_place_and_way_out() {
    let mut told = String::new();
    for source in BROKEN {
        let problems = compile_strictly(source).expect_err(source);
        let _ = writeln!(told, "{source}");
        for problem in problems {
            let column = source[..problem.place.start].chars().count();
            let width = source[problem.place.start..problem.place.end].chars().count().max(1);
            let _ = writeln!(told, "{}{}", " ".repeat(column), "^".repeat(width));
            let severity = if problem.severity == Severity::Warning { "warning" } else { "error" };
            let _ = writeln!(told, "  {severity} {}: {}", problem.code, problem.message);
            let _ = writeln!(told, "  help: {}", problem.help);
        }
        told.push('\n');
    }
    insta::assert_snapshot!(told);
}

#[test]
fn a_condition_that_is_too_large_is_refused() {
    let long = format!("profile.traits.tier == \"{}\"", "x".repeat(parse::SOURCE_BYTES_MAX));
    let deep = format!("{}true{}", "(".repeat(70), ")".repeat(70));
    let chained = format!("1{} == 1", " + 1".repeat(70));
    let refused = format!("{}true", "!".repeat(100));
    for source in [long, deep, chained, refused] {
        let problems = compile_strictly(&source).expect_err("too large");
        assert_eq!(problems[0].code, "condition-too-large", "{problems:?}");
    }
    let wide = vec!["profile.traits.orders == 1"; 400].join(" || ");
    assert!(compile_strictly(&wide).is_ok());
}

/// Each page of a code of this room shows, in its two `cel` blocks, what causes the error and what repairs it.
#[test]
fn every_code_has_a_page_whose_examples_are_true() {
    let pages = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
    let mut codes: Vec<&str> =
        BROKEN.iter().filter_map(|source| compile_strictly(source).err()).flatten().map(|problem| problem.code).collect();
    codes.push("condition-too-large");
    codes.retain(|code| code.starts_with("condition-"));
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), 15, "{codes:?}");
    for code in codes {
        let page = std::fs::read_to_string(pages.join(format!("{code}.md"))).expect(code);
        assert!(page.contains(&format!("\nCode: `{code}`\n")), "{code}");
        let blocks: Vec<&str> = page.split("```cel\n").skip(1).filter_map(|rest| rest.split("```").next()).map(str::trim).collect();
        let [before, after] = blocks.as_slice() else { panic!("{code} has {} cel blocks", blocks.len()) };
        if code != "condition-too-large" {
            let problems = compile_strictly(before).expect_err(before);
            assert!(problems.iter().all(|problem| problem.code == code), "{code}: {problems:?}");
        }
        assert!(compile_strictly(after).is_ok(), "{code}: {after}: {:?}", compile_strictly(after).err());
    }
}

#[test]
fn the_examples_of_the_handbook_are_true() {
    let page = include_str!("../../../../../docs/conditions.md");
    let examples = page.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the page begins with examples");
    for source in examples.lines() {
        assert!(compile_strictly(source).is_ok(), "{source}: {:?}", compile_strictly(source).err());
    }
    for signature in &functions::SIGNATURES {
        assert!(page.contains(signature.name), "{} is not on the page", signature.name);
    }
    assert!(page.contains(&format!("more than 1,{:03} items", LOOP_ITEMS_MAX % 1000)));
}
