//! XES (IEEE 1849-2016): a trace for each passage, an event for each step.

use super::steps::Step;
use std::io::{self, Write};

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xes.features="" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
  <global scope="trace">
    <string key="concept:name" value=""/>
  </global>
  <global scope="event">
    <string key="concept:name" value=""/>
    <date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/>
  </global>
  <classifier name="Activity" keys="concept:name"/>
"#;

/// `steps` as [`super::steps::sort`] leaves them.
pub fn write(steps: &[Step], out: &mut dyn Write) -> io::Result<()> {
    out.write_all(HEAD.as_bytes())?;
    for passage in steps.chunk_by(|one, next| one.passage == next.passage) {
        let last = &passage[passage.len() - 1];
        writeln!(out, "  <trace>")?;
        text(out, "    ", "concept:name", &last.passage)?;
        text(out, "    ", "customer", &last.customer)?;
        if let Some(journey) = passage.iter().find_map(|step| step.journey.as_deref()) {
            text(out, "    ", "journey", journey)?;
        }
        for step in passage {
            writeln!(out, "    <event>")?;
            text(out, "      ", "concept:name", &step.activity())?;
            writeln!(out, "      <date key=\"time:timestamp\" value=\"{}\"/>", escaped(&step.at))?;
            text(out, "      ", "decision", &step.id)?;
            for (name, value) in step.attributes() {
                text(out, "      ", name, value)?;
            }
            writeln!(out, "    </event>")?;
        }
        writeln!(out, "  </trace>")?;
    }
    writeln!(out, "</log>")
}

fn text(out: &mut dyn Write, indent: &str, key: &str, value: &str) -> io::Result<()> {
    writeln!(out, "{indent}<string key=\"{key}\" value=\"{}\"/>", escaped(value))
}

/// For an attribute in double quotes; what XML 1.0 cannot say at all becomes the replacement character.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for sign in value.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", sign as u32)),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            sign => out.push(sign),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::steps::tests::sample;
    use super::*;

    #[test]
    fn each_passage_is_a_trace_and_nothing_of_a_customer_but_his_id_is_in_it() {
        let mut out = Vec::new();
        write(&sample(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let count = |part: &str| text.matches(part).count();
        assert_eq!((count("<trace>"), count("</trace>"), count("<event>"), count("</event>")), (2, 2, 5, 5));
        assert!(text.contains(r#"<string key="journey" value="c &amp; &quot;d&quot;"/>"#), "{text}");
        assert!(text.ends_with("</log>\n") && !text.contains("example.com") && !text.contains("u<0>"));
    }

    #[test]
    fn what_xml_cannot_hold_is_escaped_or_replaced() {
        for (value, written) in
            [("a<b>&\"c\"", "a&lt;b&gt;&amp;&quot;c&quot;"), ("a\nb", "a&#10;b"), ("a\u{1}b", "a\u{fffd}b"), ("\u{e4}", "\u{e4}")]
        {
            assert_eq!(escaped(value), written);
        }
    }
}
