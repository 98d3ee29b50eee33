//! Messages as they come out, for tables of templates and facts; and that every template ends.

use super::*;
use crate::definitions::Index;
use crate::journey::KeptEvent;
use crate::profile::{KnownIdentifier, Profile};
use crate::workspace::{Files, read};
use faden_model::{EnrollmentId, IdentifierKind, ProfileId, Timestamp, Value, json};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

const SETTINGS: &str = "workspace: shop\ncountry: DE\ntime_zone: Europe/Berlin\nlanguages: [en, de]\n";

/// A workspace of these templates, in English and German.
fn definitions(files: &[(&str, &str)]) -> Definitions {
    let mut all = BTreeMap::from([("faden.yaml".to_owned(), SETTINGS.to_owned())]);
    all.extend(files.iter().map(|(path, text)| (format!("templates/{path}"), (*text).to_owned())));
    let outcome = read(&Files(all));
    outcome.definitions.unwrap_or_else(|| panic!("{:#?}", outcome.findings))
}

fn facts(json: &str) -> Variables {
    let Ok(Value::Map(fields)) = json::parse(json) else { panic!("{json} is no object") };
    Variables(fields.into_iter().collect())
}

/// One text message in a language, or the error.
fn say(template: &str, language: &str, facts_json: &str) -> String {
    let path = format!("t/sms.{language}.jinja");
    match render(&definitions(&[(&path, template)]), "t", "sms", Some(language), &facts(facts_json)) {
        Ok(rendered) => rendered.text,
        Err(error) => format!("{}: {error}", error.code()),
    }
}

#[test]
fn filters_write_numbers_amounts_and_days_as_the_language_does() {
    let facts = r#"{"now": "2026-03-01T23:30:00Z", "time_zone": "Europe/Berlin", "event": {"properties":
        {"value": 12345.5, "exact": 0.10, "day": "2026-01-24", "none": null, "name": "Ada", "big": 12345678901234567890.5}}}"#;
    let mut out = String::new();
    for template in [
        "{{ now | date }}",
        "{{ now | date('short') }}",
        "{{ now | date('weekday') }}",
        "{{ now | date('time') }}",
        "{{ now | date('datetime') }}",
        "{{ now | date('%d.%m.') }}",
        "{{ now | date('%A') }}",
        "{{ event.properties.day | date }}",
        "{{ event.properties.name | date }}",
        "{{ event.properties.value | number }}",
        "{{ event.properties.value | number(2) }}",
        "{{ event.properties.value | number(0) }}",
        "{{ event.properties.big | number }}",
        "{{ event.properties.exact }}",
        "{{ event.properties.value | money('EUR') }}",
        "{{ -3 | money('brl') }}",
        "{{ 5 | money('USD') }}",
        "{{ 1999.5 | money('JPY') }}",
        "{{ 5 | money('CHF') }}",
        "{{ 5 | money('euro') }}",
        "{{ event.properties.name | money('EUR') }}",
        "{{ event.properties.gone | money('EUR') }}",
        "{{ event.properties.none | default('nothing') }}",
        "{% macro m(x) %}{{ x | date }}{% endmacro %}{{ m(now) }}",
    ] {
        out.push_str(&format!("{template}\n"));
        for language in ["en", "en-US", "de", "de-AT", "pt-BR", "hy"] {
            let said = say(template, language, facts).replace('\u{a0}', "~");
            out.push_str(&format!("    {language:<6}{said}\n"));
        }
    }
    insta::assert_snapshot!("filters", out);
}

#[test]
fn what_nobody_knows_is_an_error_that_names_it_and_its_line() {
    let facts = r#"{"profile": {"traits": {"first_name": "Ada", "gone": null}}}"#;
    let mut out = String::new();
    for template in [
        "Hello {{ profile.traits.first_name }}",
        "Hello\n{{ profile.traits.last_name }}",
        "Hello {{ profile.traits.last_name | default('you') }}",
        "Hello {{ profile.traits.gone }}",
        "Hello {% if profile.traits.last_name %}{{ profile.traits.last_name }}{% else %}you{% endif %}",
        "Hello {{ profile.traits.address.city }}",
        "Hello {{ profile.traits.last_name | upper }}",
        "{% for item in event.properties.items %}{{ item }}{% endfor %}",
        "{{ unsubscribe_url }}",
        "{{ profile.traits.first_name | int }}",
        "{{ profile.traits.first_name + 5 }}",
        "{{ profile.traits.first_name | replace('A') }}",
        "{{ profile.traits.first_name is strange }}",
        "{{ profile.traits.first_name.shout() }}",
        "{% set x = namespace(n=0) %}{% for i in range(99999) %}{% set x.n = x.n + i %}{% endfor %}",
        "{% for i in range(9000) %}{{ 'a' * 90 }}{% endfor %}",
        "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
        "{% for i in range(1000000000) %}{% endfor %}",
    ] {
        out.push_str(&format!("{template}\n    {}\n", say(template, "en", facts)));
    }
    insta::assert_snapshot!("errors", out);
}

#[test]
fn a_message_comes_in_the_language_that_is_closest() {
    let sms = |language: &str| (format!("t/sms.{language}.jinja"), language.to_owned());
    for (there, wanted, expected) in [
        ("de de-AT en", Some("de-AT"), "de-AT"),
        ("de en", Some("de-AT"), "de"),
        ("de en", Some("de_CH.UTF-8"), "de"),
        ("de en", Some("DE"), "de"),
        ("de-AT en", Some("de"), "de-AT"),
        ("de en", Some("fr"), "en"),
        ("de en", Some(""), "en"),
        ("de en", None, "en"),
        ("de", None, "de"),
        ("fr hy", Some("en"), "fr"),
        ("fr en-GB", None, "en-GB"),
    ] {
        let files: Vec<(String, String)> = there.split(' ').map(sms).collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let rendered = render(&definitions(&files), "t", "sms", wanted, &Variables::default());
        assert_eq!(rendered.map(|rendered| rendered.language), Ok(Text::new(expected)), "{there} {wanted:?}");
    }
}

const NEWS_MJML: &str = r##"---
subject: "News for {{ profile.traits.first_name }}"
---
<mjml>
  <mj-head><mj-preview>Seen in lists only</mj-preview></mj-head>
  <mj-body>
    <mj-section><mj-column>
      {% if profile.traits.first_name %}
      <mj-text>Hello <b>{{ profile.traits.first_name }}</b>,<br/>two things:</mj-text>
      {% endif %}
      <mj-text><ul><li>one &amp; only</li><li>two</li></ul></mj-text>
      <mj-button href="https://shop.example/?a=1&amp;b=2">To the shop</mj-button>
      <mj-text><a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text>
    </mj-column></mj-section>
  </mj-body>
</mjml>
"##;

#[test]
fn every_channel_gets_its_parts() {
    let files = [
        ("news/email.en.mjml", NEWS_MJML),
        ("both/email.en.html", "---\nsubject: \"  Two\\n parts \"\n---\n<p>Hello {{ profile.traits.first_name }}</p>\n"),
        ("both/email.en.txt", "Hello {{ profile.traits.first_name }} in plain\n"),
        ("plain/email.en.jinja", "---\nsubject: Plain\n---\n{% if true %}\nHello {{ profile.traits.first_name }}\n{% endif %}\n"),
        (
            "order/whatsapp.pt-BR.jinja",
            "---\ntemplate: order_sent\nparameters: [\"{{ event.properties.order_id }}\", \"{{ now | date }}\"]\n---\nPedido enviado\n",
        ),
        ("order/rcs.en.jinja", "---\ntemplate: order_sent\ntemplate_language: en_GB\n---\nSent\n"),
        (
            "order/web_push.en.jinja",
            "---\ntitle: \"Order {{ event.properties.order_id }}\"\nurl: https://shop.example/orders/{{ event.properties.order_id }}\n---\nOn its way\n",
        ),
        (
            "order/webhook.en.jinja",
            "{\"name\": {{ profile.traits.first_name | tojson }}, \"order\": {{ event.properties.order_id | tojson }}}\n",
        ),
    ];
    let definitions = definitions(&files);
    let facts = facts(
        r#"{"now": "2026-03-02T10:00:00Z", "time_zone": "UTC", "unsubscribe_url": "https://shop.example/u/1?x=1&y=2",
            "profile": {"traits": {"first_name": "Ada </b><script>alert(1)</script> \"& Co\"\n\nBcc: x"}}, "event": {"properties": {"order_id": "A-1"}}}"#,
    );
    let mut out = String::new();
    for (template, channel) in [
        ("news", "email"),
        ("both", "email"),
        ("plain", "email"),
        ("order", "whatsapp"),
        ("order", "rcs"),
        ("order", "web_push"),
        ("order", "webhook"),
    ] {
        let mut rendered = render(&definitions, template, channel, None, &facts).unwrap();
        if template == "news" {
            let html = rendered.html.take().unwrap();
            for part in
                ["<!doctype html>", "Ada &lt;/b&gt;&lt;script&gt;", "href=\"https://shop.example/u/1?x=1&amp;y=2\"", "max-width:600px"]
            {
                assert!(html.contains(part), "{part}: {html}");
            }
            assert!(!html.contains("<script>") && !html.contains("fonts.googleapis"), "{html}");
        }
        out.push_str(&format!("{template} {channel}: {rendered:#?}\n"));
    }
    insta::assert_snapshot!("channels", out);
}

#[test]
fn who_wants_plain_text_gets_mails_without_html() {
    let html = |text: &str| format!("---\nsubject: Hi\n---\n<p>{text}</p>\n");
    let (both, alone) = (html("Hello"), html("Bye"));
    let definitions = definitions(&[("t/email.en.html", &both), ("t/email.en.txt", "Hello in plain\n"), ("u/email.en.html", &alone)]);
    for (accessibility, has_html) in [("text_only", false), ("large", true), ("", true)] {
        let facts = facts(&format!(r#"{{"profile": {{"traits": {{"accessibility": "{accessibility}"}}}}}}"#));
        for (template, text) in [("t", "Hello in plain"), ("u", "Bye")] {
            let rendered = render(&definitions, template, "email", None, &facts).unwrap();
            assert_eq!((rendered.text.as_str(), rendered.html.is_some()), (text, has_html), "{accessibility} {template}");
        }
    }
}

#[test]
fn a_message_sees_what_conditions_see() {
    let audience = "audience: buyers\ntraits:\n  orders: {count: Order Completed}\nwhere: traits.orders >= 1\n";
    let journey = "journey: thanks\npurpose: service\nentry: {event: Order Completed}\nsteps: [{id: hold, wait: {for: 1d}}]\n";
    let files = [("faden.yaml", SETTINGS), ("audiences/buyers.yaml", audience), ("journeys/thanks.yaml", journey)];
    let outcome = read(&Files(files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()));
    let index = Index::new(Arc::new(outcome.definitions.unwrap()), None);
    let at = Timestamp::parse("2026-03-02T10:00:00Z").unwrap();
    let mut profile = Profile::new(ProfileId(7), at);
    let known = |kind, value| KnownIdentifier { kind, value: Text::const_new(value), first_seen_at: at };
    profile.strands[0].identifiers = vec![known(IdentifierKind::UserId, "u1"), known(IdentifierKind::Email, "ada@example.com")];
    for (name, value) in [("country", "AT"), ("language", "de-AT"), ("first_name", "Ada")] {
        profile.tell(ProfileId(7), name, Value::from(value), at);
    }
    let event = KeptEvent {
        message_id: Text::const_new("m1"),
        name: Text::const_new("Order Completed"),
        timestamp: at,
        properties: "{\"order_id\": \"A-1\", \"products\": [{\"name\": \"Tent\"}], \"note\": null}".into(),
    };
    let id = EnrollmentId(profile.count());
    let passage = Passage { id, journey: "thanks", key: Some("A-1"), event: Some(&event) };
    let links = Links { unsubscribe: "https://shop.example/u/1", ..Links::default() };
    let seen = variables(&index, &profile, Some(&passage), &links, at);
    let lines: Vec<String> = seen.0.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    insta::assert_snapshot!("variables", lines.join("\n"));
    let alone: Vec<Text> = variables(&index, &profile, None, &Links::default(), at).0.into_keys().collect();
    assert_eq!(alone, ["now", "profile", "time_zone", "workspace"]);
}

#[test]
fn what_is_not_there_is_said() {
    let definitions = definitions(&[("t/sms.en.jinja", "Hello")]);
    let error = |template, channel| render(&definitions, template, channel, None, &Variables::default()).unwrap_err().code();
    assert_eq!((error("u", "sms"), error("t", "email")), ("render-unknown-template", "render-no-text"));
}

#[test]
fn a_plain_text_keeps_what_a_reader_needs_of_html() {
    for (html, text) in [
        ("<p>Hello <b>Ada</b>,</p><p>two</p>", "Hello Ada,\n\ntwo"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<a href=\"https://x.example/?a=1&amp;b=2\">To the shop</a>.", "To the shop (https://x.example/?a=1&b=2)."),
        ("<a href='https://x.example'>https://x.example</a>", "https://x.example"),
        ("<a href=\"mailto:a@x.example\">a@x.example</a> <a href=#top>up</a>", "a@x.example up"),
        ("<a href=\"https://x.example\"><img src=\"l.png\" alt=\"Logo\"></a>", "Logo (https://x.example)"),
        ("<a href=\"https://x.example\"></a>x", "https://x.examplex"),
        ("<ul><li>one</li><li>two <i>three</i></li></ul>end", "- one\n- two three\nend"),
        ("<head><title>t</title><style>p > b {}</style></head><body>b</body>", "b"),
        ("<div style=\"color:red; display: NONE\">x<div>y</div>z</div>shown", "shown"),
        ("<!-- x --><!--[if mso]><p>x</p><![endif]-->a<script>if (a<b) {}</script>", "a"),
        ("&lt;b&gt; &euro;5&nbsp;net &#8364; &#x41; &unknown; &amp;amp; AT&T &;", "<b> €5\u{a0}net € A &unknown; &amp; AT&T &;"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("1 < 2 <3 <", "1 < 2 <3 <"),
        ("a   \n b\t<span> c </span> d", "a b c d"),
        ("", ""),
        ("<p", ""),
    ] {
        assert_eq!(plain_text(html), text, "{html}");
    }
}

/// Pieces that templates are made of, the wild ones too.
const PIECES: [&str; 40] = [
    "{{ ",
    " }}",
    "{% ",
    " %}",
    "if x",
    "endif",
    "for i in range(99999)",
    "for i in event.properties.items",
    "endfor",
    "loop.index",
    "event",
    ".properties",
    ".x",
    "[0]",
    "[-1:]",
    "| default",
    "('y')",
    "| date",
    "| money('EUR')",
    "| number(99)",
    "| tojson",
    "| join(',')",
    "| safe",
    "namespace(a=1)",
    "set y = ",
    "1 / 0",
    "9999999999999999999 * 99999999999",
    "'a' * 1000",
    "<mjml>",
    "</mjml>",
    "<mj-body>",
    "</mj-body>",
    "<mj-text>",
    "</mj-text>",
    "<p>",
    "</p>",
    "<",
    "&",
    "ä",
    "macro m(a)",
];

/// Trees of MJML elements, some of them where they do not belong, with attributes that mean nothing.
fn mjml() -> impl Strategy<Value = String> {
    const LEVELS: [&str; 4] = [
        "mj-section|mj-section|mj-section|mj-wrapper|mj-hero|mj-raw|mj-column",
        "mj-column|mj-column|mj-column|mj-group|mj-text",
        "mj-text|mj-button|mj-image|mj-divider|mj-spacer|mj-table|mj-raw|mj-social|mj-navbar|mj-accordion|mj-carousel|p",
        "mj-social-element|mj-navbar-link|mj-accordion-element|mj-carousel-image|b|a|td|p|br",
    ];
    const ATTRIBUTES: &str = "( (width|height|padding|font-size|border|border-radius|src|href|background-url|mode|icon-size|inner-padding|align)=\"\
                              (|px|0|0px|-1px|99999999999999px|1e9px|100%|50% 20%|é|a b c d e|1px solid|fixed-height|&amp;|x'y)\"){0,3}";
    let mut tree = prop_oneof!["[a-zé &;]{0,6}", "<!--[a-z ]{0,4}-->", "<br/>"].boxed();
    for names in LEVELS.into_iter().rev() {
        let elements = (names, ATTRIBUTES, prop::collection::vec(tree, 0..4));
        tree = elements.prop_map(|(name, attributes, inner)| format!("<{name}{attributes}>{}</{name}>", inner.concat())).boxed();
    }
    let head = "(<mj-head>(<mj-title>é</mj-title>|<mj-preview>x</mj-preview>|<mj-style>a \\{\\}</mj-style>|<mj-breakpoint width=\"x\" />|\
                <mj-attributes><mj-all padding=\"é\" /></mj-attributes>|<mj-font name=\"a\" href=\"b\" />){0,2}</mj-head>)?";
    (head, prop::collection::vec(tree, 0..4)).prop_map(|(head, body)| format!("<mjml>{head}<mj-body>{}</mj-body></mjml>", body.concat()))
}

proptest! {
    #[test]
    fn any_mjml_is_rendered_or_refused(text in mjml()) {
        let source = Source { file: Text::const_new("t"), line: 1, part: Text::const_new("body"), text: String::new() };
        for misfit in check_mjml(&text) {
            prop_assert!(text.get(misfit.place).is_some(), "{text}");
        }
        if let Ok(html) = markup::html(Markup::Mjml, &source, text) {
            plain_text(&html);
        }
    }

    #[test]
    fn every_template_ends_and_none_panics(pieces in prop::collection::vec(0..PIECES.len(), 0..40), ending in "jinja|html|mjml") {
        let text: String = pieces.into_iter().map(|at| PIECES[at]).collect();
        let source = Source { file: Text::const_new("t"), line: 1, part: Text::const_new("body"), text };
        let mut variant = Variant { subject: Some(source.clone()), ..Variant::default() };
        match ending.as_str() {
            "jinja" => variant.text = Some(source),
            "html" => variant.markup = Some((Markup::Html, source)),
            _ => variant.markup = Some((Markup::Mjml, source)),
        }
        let name = Text::const_new("t");
        let template = Template { name: name.clone(), variants: BTreeMap::from([((Text::const_new("email"), Text::const_new("en")), variant)]) };
        let definitions = Definitions { templates: Catalog::new(BTreeMap::from([(name, template)])), ..Definitions::default() };
        let facts = facts(r#"{"event": {"properties": {"items": [1, "a", {"b": null}], "x": 5.5}}}"#);
        let _ = render(&definitions, "t", "email", None, &facts);
    }

    #[test]
    fn any_html_becomes_a_text(html in "([<>/&;\"'=! a-c\\-]|<div|</div>|<a href=|style=\"display:none\"|&amp;|<!--|-->|ä|\n){0,60}") {
        let text = plain_text(&html);
        prop_assert!(text.len() <= 4 * html.len());
    }
}

#[test]
fn mjml_that_is_deeper_than_any_mail_is_refused() {
    let deep = "<mj-section>".repeat(100_000);
    let template = format!("---\nsubject: x\n---\n<mjml><mj-body>{{% if true %}}{{{{ '{deep}' | safe }}}}{{% endif %}}</mj-body></mjml>\n");
    let error = render(&definitions(&[("t/email.en.mjml", &template)]), "t", "email", None, &Variables::default()).unwrap_err();
    assert_eq!(error.code(), "render-too-long");
    let template = template.replace(&deep, &"<mj-section>".repeat(10_000));
    let error = render(&definitions(&[("t/email.en.mjml", &template)]), "t", "email", None, &Variables::default()).unwrap_err();
    assert_eq!(error.code(), "render-mjml");
}
