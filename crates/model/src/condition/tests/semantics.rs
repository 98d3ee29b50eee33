//! What expressions give, as tables.

use super::*;

const FACTS: &str = r#"{
    "event": {"name": "Order Completed", "properties": {"total": 19.95, "a b": 1, "in": 2, "huge": 79228162514264337593543950335,
        "items": [{"sku": "A1", "price": 10}, {"sku": "B2", "price": 30.5}], "at": "2026-02-28T23:30:00Z", "empty": null}},
    "profile": {"traits": {"orders": 3, "tier": "gold", "vip": true, "seen": "2026-02-01T00:00:00Z", "patience": "2h",
        "tags": ["new", "paid"], "address": {"city": "Bern", "zip": "3000"}, "text_time": "2026-02-01T00:00:00+01:00"},
        "audiences": {"buyers": true}}
}"#;

fn check(table: &str) {
    let facts = Facts::new(FACTS);
    for row in table.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let (source, wanted) = row.split_once(" => ").expect("a row has two columns");
        assert_eq!(compiled(source).evaluate(&facts).to_string(), wanted.trim(), "{row}");
        assert_eq!(compiled(source).holds(&facts), wanted.trim() == "true", "{row}");
    }
}

#[test]
fn numbers_are_exact_decimals_of_one_kind() {
    check(
        "0.1 + 0.2 == 0.3                                        => true
         event.properties.total == 19.95                         => true
         event.properties.total * 100 == 1995                    => true
         1 == 1.0                                                => true
         1u + 2 == 3.0                                           => true
         0x1F                                                    => 31
         1.5e3                                                   => 1500
         .5 + 1                                                  => 1.5
         10 / 4                                                  => 2.5
         7 % 4                                                   => 3
         -7 % 4                                                  => -3
         - - 3                                                   => 3
         -(event.properties.none2 == null ? 0 : 1)               => 0
         int(-0.5) + 0 * -1 - 7 % 7                              => 0
         2 + 3 * 4 - 1                                           => 13
         (2 + 3) * 4                                             => 20
         1 / event.properties.zero                               => null
         event.properties.total / (profile.traits.orders - 3)    => null
         event.properties.total % (profile.traits.orders - 3)    => null
         event.properties.huge + 1                               => null
         event.properties.huge * 10 > 1                          => false
         int(19.95) + int(\"7\")                                 => 26
         int(profile.traits.tier)                                => null
         double(\"2.50\")                                        => 2.50
         string(profile.traits.orders) + \"x\"                   => \"3x\"",
    );
}

#[test]
fn what_is_missing_or_of_another_kind_makes_comparisons_false() {
    check(
        "event.properties.none > 1              => false
         event.properties.none < 1              => false
         event.properties.none == 1             => false
         event.properties.none != 1             => true
         event.properties.none == null          => true
         event.properties.empty == null         => true
         profile.traits.tier != null            => true
         event.properties.none + 1              => null
         event.properties.items > 1             => false
         event.properties.items == \"x\"        => false
         event.name == event.properties.total2  => false
         !event.properties.none                 => true
         event.properties.none && true          => false
         event.properties.none || true          => true
         event.properties.items || false        => false
         event.properties.none ? 1 : 2          => 2
         has(event.properties.none)             => false
         has(event.properties.empty)            => false
         has(profile.traits.tier)               => true
         has(event.properties[\"a b\"])         => true
         has(event.properties.items[0].sku)     => true
         size(event.properties.none)            => null
         event.properties.none.contains(\"x\")  => null
         \"x\" in event.properties.none         => false
         event.properties.none.all(i, true)     => null
         enrollment.step == null                => true",
    );
}

#[test]
fn paths_lists_and_maps_are_stepped_into() {
    check(
        "event.properties[\"a b\"]                              => 1
         event.properties.in                                    => 2
         event.properties.`a b`                                 => 1
         event.properties.items[1].price                        => 30.5
         event.properties.items[1][\"sku\"]                     => \"B2\"
         event.properties.items[2].price                        => null
         event.properties.items[-1]                             => null
         event.properties.items[0.5]                            => null
         event.properties[\"to\" + \"tal\"]                     => 19.95
         event[\"properties\"][string(\"total\")]               => 19.95
         traits.tier == profile.traits.tier                     => true
         audiences.buyers                                       => true
         [1, 2, 3][1]                                           => 2
         {\"a\": 1, \"b\": [2]}.b[0]                            => 2
         {\"a\": 1, \"a\": 2}[\"a\"]                            => 2
         [1, 2] == [1.0, 2]                                     => true
         [1] + [2]                                              => [1,2]
         {\"b\": 1, \"a\": 2} == {\"a\": 2, \"b\": 1.0}         => true
         \"new\" in traits.tags                                 => true
         2 in [1, 2]                                            => true
         \"city\" in traits.address                             => true
         size(traits.tags) + traits.address.size()              => 4
         size(\"h\\u00e9\") + size([])                          => 2
         (traits.vip ? traits.address : {}).city                => \"Bern\"",
    );
}

#[test]
fn texts_are_searched_and_changed() {
    check(
        "event.name.startsWith(\"Order\") && event.name.endsWith('ed')   => true
         event.name.contains(\"er C\")                                   => true
         event.name.matches(\"^Order [A-Z]\")                            => true
         matches(event.name, r\"\\d\")                                   => false
         traits.tier.upperAscii() + \"X\".lowerAscii()                   => \"GOLDx\"
         \"a\\x41\\u00e9\\101\\n\"                                       => \"aA\u{e9}A\\n\"
         r'\\n' + \"\"\"a\"b\"\"\"                                       => \"\\\\na\\\"b\"
         \"abc\" < \"abd\"                                               => true
         bool(\"true\")                                                  => true
         true // a remark                                                => true",
    );
}

#[test]
fn instants_and_lengths_of_time_are_compared_and_added() {
    check(
        "now                                                                     => \"2026-03-01T10:00:00Z\"
         now - traits.seen > duration(\"28d\")                                   => true
         now - traits.seen                                                       => \"28d10h\"
         now > traits.text_time + duration(\"1d\")                               => true
         now - traits.text_time                                                  => \"28d11h\"
         traits.text_time < now                                                  => true
         traits.tier < now                                                       => false
         traits.tier == now                                                      => false
         traits.seen == \"2026-02-01T01:00:00+01:00\"                            => true
         \"2026-02-01T00:00:00Z\" <= traits.seen                                 => true
         timestamp(\"2026-02-01T00:00:00Z\") == traits.seen                      => true
         timestamp(event.properties.at) < now                                    => true
         timestamp(traits.tier)                                                  => null
         traits.patience == duration(\"120m\")                                   => true
         duration(\"72h\") == duration(\"3d\")                                   => true
         duration(\"1.5h\") == duration(\"90m\")                                 => true
         duration(\"-1d\") < duration(\"0s\")                                    => true
         duration(\"1h30m\").getMinutes()                                        => 90
         now - duration(\"1w\") + duration(\"1d\")                               => \"2026-02-23T10:00:00Z\"
         now.getFullYear() + now.getMonth() + now.getDayOfMonth()                => 2028
         now.getDate() + now.getDayOfYear()                                      => 60
         now.getDayOfWeek()                                                      => 0
         event.properties.at.getHours(\"Europe/Berlin\")                         => 0
         event.properties.at.getDate(\"Europe/Berlin\")                          => 1
         event.properties.at.getHours(\"-02:30\")                                => 21
         event.properties.at.getMinutes()                                        => 30
         event.properties.at.getHours(traits.tier)                               => null
         now - traits.tier > duration(\"1d\")                                    => false
         now + event.properties.total2 > now                                     => false
         event.properties.at - event.properties.at                               => null
         event.properties.at - timestamp(event.properties.at)                    => \"0s\"
         int(now)                                                                => 1772359200
         string(now)                                                             => \"2026-03-01T10:00:00Z\"",
    );
}

#[test]
fn loops_go_over_lists() {
    check(
        "event.properties.items.exists(i, i.price > 20)                              => true
         event.properties.items.all(i, i.price > 20)                                 => false
         event.properties.items.exists_one(i, i.price > 20)                          => true
         event.properties.items.exists_one(i, has(i.sku))                            => false
         event.properties.items.filter(i, i.price > 20).map(i, i.sku)                => [\"B2\"]
         event.properties.items.map(i, i.price > 20, i.sku + traits.tier)            => [\"B2gold\"]
         size(event.properties.items.filter(i, i.sku.matches(\"^[AB]\"))) == 2       => true
         traits.tags.exists(event, event == \"new\")                                 => true
         [].all(i, false)                                                            => true
         traits.tags.map(t, size(t))                                                 => [3,4]",
    );
}

#[test]
fn a_loop_over_too_long_a_list_is_null() {
    let list = |length: usize| format!(r#"{{"event": {{"items": [{}]}}}}"#, vec!["1"; length].join(","));
    let condition = compiled("event.items.all(i, i == 1)");
    assert_eq!(condition.evaluate(&Facts::new(&list(LOOP_ITEMS_MAX))), Value::Bool(true));
    assert_eq!(condition.evaluate(&Facts::new(&list(LOOP_ITEMS_MAX + 1))), Value::Null);
}

#[test]
fn attributes_are_listed_once_and_sorted() {
    let source =
        "now > profile.traits.b && event.properties[\"a b\"] == traits.b && profile.traits.a[0].c == \"x\" && [1].exists(event, event > 0)";
    let expression = compiled(source);
    let written: Vec<String> = expression.attributes().iter().map(ToString::to_string).collect();
    assert_eq!(written, ["event.properties[\"a b\"]", "profile.traits.a", "profile.traits.b", "now"]);
    assert!(expression.uses_now());
    assert_eq!(expression.source(), source);
    assert_eq!(expression.result_type(), &Type::Bool);
    assert!(!compiled("traits.orders > 3").uses_now());
}

#[test]
fn an_explanation_lists_comparisons_and_attributes_with_values() {
    let source = "traits.orders > 5 && traits.tier in [\"gold\"] || !has(traits.none) && traits.orders < 9 && traits.orders > 5 && event.properties.items.exists(i, i.price > 99)";
    let lines = compiled(source).explain(&Facts::new(FACTS));
    let told: Vec<String> = lines.iter().map(|(written, value)| format!("{written} = {value}")).collect();
    assert_eq!(
        told,
        [
            "traits.orders > 5 = false",
            "traits.orders = 3",
            "traits.tier in [\"gold\"] = true",
            "traits.tier = \"gold\"",
            "has(traits.none) = false",
            "traits.none = null",
            "traits.orders < 9 = true",
            "event.properties.items.exists(i, i.price > 99) = false",
            "event.properties.items = [{\"price\":10,\"sku\":\"A1\"},{\"price\":30.5,\"sku\":\"B2\"}]",
        ]
    );
}

#[test]
fn a_warning_does_not_hinder() {
    let compiled = compile_condition("traits.ghost == 1", &Declared).expect("only a warning");
    assert_eq!(compiled.warnings.len(), 1);
    assert_eq!(compiled.warnings[0].place, ByteRange { start: 0, end: 12 });
    assert_eq!(compiled.warnings[0].severity, Severity::Warning);
}
