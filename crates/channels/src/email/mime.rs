//! Takes a mail apart (RFC 5322, 2045 to 2047): headers, parts, encodings, character sets.
//!
//! Never panics and never goes deeper than [`DEPTH_MAX`], whatever the bytes. An attached mail is one part
//! and is not taken apart: nesting is what makes parsers overflow their stack, and nothing in there is ours
//! but its headers. Fields with a grammar of their own are read by `mail-parser`.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::parsers::MessageStream;
use mail_parser::{ContentType, DateTime, HeaderValue};
use std::borrow::Cow;

/// Multiparts in multiparts; programs write three.
const DEPTH_MAX: usize = 8;
/// More parts are left out.
const PARTS_MAX: usize = 100;
/// More headers are left out.
const HEADERS_MAX: usize = 1000;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Lower case names and values, unfolded but not decoded, in order.
#[derive(Clone)]
pub struct Headers(Vec<(String, Vec<u8>)>);

/// One part that is not a multipart.
pub struct Part<'x> {
    pub headers: Headers,
    raw: &'x [u8],
}

/// Headers of the whole and its parts.
pub struct Mail<'x> {
    pub headers: Headers,
    pub parts: Vec<Part<'x>>,
}

impl Mail<'_> {
    /// Every sequence of bytes is some mail.
    pub fn parse(bytes: &[u8]) -> Mail<'_> {
        let (headers, body) = Headers::parse(bytes);
        let mut parts = Vec::new();
        collect(Part { headers: headers.clone(), raw: body }, 0, &mut parts);
        Mail { headers, parts }
    }

    /// The first part of this type, such as `text/plain`.
    pub fn part(&self, kind: &str) -> Option<&Part<'_>> {
        self.parts.iter().find(|part| part.headers.kind() == kind)
    }
}

fn collect<'x>(part: Part<'x>, depth: usize, parts: &mut Vec<Part<'x>>) {
    if parts.len() >= PARTS_MAX {
        return;
    }
    let boundary = match part.headers.content_type() {
        Some(kind) if kind.ctype().eq_ignore_ascii_case("multipart") && depth < DEPTH_MAX => kind.attribute("boundary").map(str::to_owned),
        _ => None,
    };
    match boundary.filter(|boundary| !boundary.is_empty()) {
        None => parts.push(part),
        Some(boundary) => {
            for bytes in between(part.raw, boundary.as_bytes()) {
                let (headers, raw) = Headers::parse(bytes);
                collect(Part { headers, raw }, depth + 1, parts);
            }
        }
    }
}

/// What stands between the delimiter lines; a missing last delimiter is forgiven.
fn between<'x>(body: &'x [u8], boundary: &[u8]) -> Vec<&'x [u8]> {
    let mut found = Vec::new();
    let mut began = None;
    let mut at = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let start = at;
        at += line.len();
        let Some(rest) = line.strip_prefix(b"--").and_then(|rest| rest.strip_prefix(boundary)) else { continue };
        let is_last = rest.starts_with(b"--");
        if !is_last && !rest.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if let Some(began) = began {
            found.push(without_line_end(&body[began..start]));
        }
        began = (!is_last && found.len() < PARTS_MAX).then_some(at);
        if began.is_none() {
            return found;
        }
    }
    found.extend(began.map(|began| &body[began..]));
    found
}

fn without_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

impl Part<'_> {
    /// Decoded by `Content-Transfer-Encoding`; what cannot be decoded stays as it is.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        let encoding = self.headers.text("content-transfer-encoding").unwrap_or_default();
        match encoding.trim().to_ascii_lowercase().as_str() {
            "base64" => {
                let digits: Vec<u8> =
                    self.raw.iter().copied().filter(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte)).collect();
                let whole = digits.len() - usize::from(digits.len() % 4 == 1);
                LENIENT.decode(&digits[..whole]).map_or(Cow::Borrowed(self.raw), Cow::Owned)
            }
            "quoted-printable" => Cow::Owned(quoted_printable(self.raw)),
            _ => Cow::Borrowed(self.raw),
        }
    }

    /// Decoded by its character set, UTF-8 if none is known.
    pub fn text(&self) -> String {
        let bytes = self.bytes();
        let charset = self.headers.content_type().and_then(|kind| kind.attribute("charset").map(str::to_owned));
        match charset.filter(|charset| !charset.is_empty()).and_then(|charset| charset_decoder(charset.as_bytes())) {
            Some(decode) => decode(&bytes),
            None => String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    pub fn is_attachment(&self) -> bool {
        self.headers.text("content-disposition").is_some_and(|text| text.trim_start().to_ascii_lowercase().starts_with("attachment"))
    }
}

/// What is not a proper escape stays as it is.
fn quoted_printable(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        let content = line.trim_ascii_end();
        let (content, soft) = match content.strip_suffix(b"=") {
            Some(content) => (content, true),
            None => (content, false),
        };
        let mut rest = content;
        while let Some((&byte, after)) = rest.split_first() {
            let escaped = (byte == b'=').then(|| after.get(..2)).flatten();
            match escaped.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()) {
                Some(decoded) => {
                    out.push(decoded);
                    rest = &after[2..];
                }
                None => {
                    out.push(byte);
                    rest = after;
                }
            }
        }
        if !soft && line.ends_with(b"\n") {
            out.push(b'\n');
        }
    }
    out
}

impl Headers {
    /// The headers and what comes after the empty line.
    pub fn parse(bytes: &[u8]) -> (Headers, &[u8]) {
        let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
            let line = without_line_end(&rest[..end]);
            if line.is_empty() {
                return (Headers(headers), &rest[end..]);
            }
            let folded = line.starts_with(b" ") || line.starts_with(b"\t");
            // Some programs put a line before the headers that is none.
            if headers.is_empty() && line.starts_with(b"From ") {
                rest = &rest[end..];
                continue;
            }
            match (folded, headers.last_mut(), line.iter().position(|byte| *byte == b':')) {
                (true, Some((_, value)), _) => value.extend_from_slice(line),
                (false, _, Some(colon)) if is_name(line[..colon].trim_ascii_end()) => {
                    if headers.len() < HEADERS_MAX {
                        let name = String::from_utf8_lossy(line[..colon].trim_ascii_end()).to_ascii_lowercase();
                        headers.push((name, line[colon + 1..].to_vec()));
                    }
                }
                // A body without an empty line before it.
                _ => return (Headers(headers), rest),
            }
            rest = &rest[end..];
        }
        (Headers(headers), rest)
    }

    /// Of the first such header, not decoded.
    pub fn raw(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_slice())
    }

    pub fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// Encoded words decoded, blanks at the ends removed.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.read(name, |stream| stream.parse_unstructured().into_owned())? {
            HeaderValue::Text(text) => Some(text.trim().to_owned()),
            _ => None,
        }
    }

    /// The first address, without its name.
    pub fn address(&self, name: &str) -> Option<String> {
        let HeaderValue::Address(addresses) = self.read(name, |stream| stream.parse_address().into_owned())? else { return None };
        let first = addresses.first()?.address.as_deref()?.trim().to_owned();
        first.contains('@').then_some(first)
    }

    /// What stands in angle brackets.
    pub fn ids(&self, name: &str) -> Vec<String> {
        let text = String::from_utf8_lossy(self.raw(name).unwrap_or_default()).into_owned();
        text.split('<').skip(1).filter_map(|rest| Some(rest.split_once('>')?.0.trim().to_owned())).filter(|id| !id.is_empty()).collect()
    }

    /// Seconds since 1970.
    pub fn date(&self, name: &str) -> Option<i64> {
        match self.read(name, |stream| stream.parse_date().into_owned())? {
            HeaderValue::DateTime(date) => Some(date).filter(DateTime::is_valid).map(|date| date.to_timestamp()),
            _ => None,
        }
    }

    pub fn content_type(&self) -> Option<ContentType<'static>> {
        match self.read("content-type", |stream| stream.parse_content_type().into_owned())? {
            HeaderValue::ContentType(kind) => Some(kind),
            _ => None,
        }
    }

    /// `text/plain`, lower case; that is also what a part without a type is.
    pub fn kind(&self) -> String {
        self.content_type().map_or_else(
            || "text/plain".to_owned(),
            |kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()).to_ascii_lowercase(),
        )
    }

    fn read<T>(&self, name: &str, read: impl FnOnce(&mut MessageStream<'_>) -> T) -> Option<T> {
        let mut line = self.raw(name)?.to_vec();
        line.push(b'\n');
        Some(read(&mut MessageStream::new(&line)))
    }
}

fn is_name(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_graphic() && *byte != b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_however_they_are_nested_and_encoded() {
        let mail = "Content-Type: multipart/mixed; boundary=\"a b\"\r\n\r\npreamble\r\n--a b\r\n\
            Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nplain\r\n--bad\r\nstill\r\n--b\r\n\
            Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>f=FCr=\r\n alle =zz</p>\r\n--b--\r\n\
            --a b \r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: Attachment; filename=x\r\n\r\nZ2Vo\r\ndCE=\r\n--a b--\r\nepilogue";
        let mail = Mail::parse(mail.as_bytes());
        let found: Vec<(String, String, bool)> =
            mail.parts.iter().map(|part| (part.headers.kind(), part.text(), part.is_attachment())).collect();
        let expected =
            [("text/plain", "plain\r\n--bad\r\nstill", false), ("text/html", "<p>für alle =zz</p>", false), ("text/plain", "geht!", true)];
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!((found.0.as_str(), found.1.as_str(), found.2), expected);
        }
    }

    #[test]
    fn nesting_without_end_is_cut_off() {
        let mut mail = String::new();
        for level in 0..100_000 {
            mail.push_str(&format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"));
        }
        assert_eq!(Mail::parse(mail.as_bytes()).parts.len(), 1);
        let messages = "Content-Type: message/rfc822\n\n".repeat(100_000);
        assert_eq!(Mail::parse(messages.as_bytes()).parts.len(), 1);
        let siblings = format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\nx\n".repeat(100_000));
        assert_eq!(Mail::parse(siblings.as_bytes()).parts.len(), PARTS_MAX);
    }

    #[test]
    fn headers_end_where_they_end() {
        for (bytes, names, body) in [
            ("A: 1\r\nB: 2\r\n\r\nbody", "a b", "body"),
            ("A: 1\n folded\n\nbody", "a", "body"),
            ("From ada Mon\nA: 1\n\nbody", "a", "body"),
            ("A: 1\nno header\nbody", "a", "no header\nbody"),
            ("\r\nbody", "", "body"),
            ("body", "", "body"),
            ("A: 1", "a", ""),
            ("", "", ""),
        ] {
            let (headers, rest) = Headers::parse(bytes.as_bytes());
            let found: Vec<&str> = headers.0.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!((found.join(" ").as_str(), String::from_utf8_lossy(rest).as_ref()), (names, body), "{bytes:?}");
        }
    }

    #[test]
    fn fields_are_read_by_their_grammar() {
        let (headers, _) = Headers::parse(
            b"From: \"Lovelace, Ada\" <ada@example.com>, x@example.com\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= an\r\n =?iso-8859-1?b?/A==?=\r\n\
              References: <a@b>\r\n\t<c@d> junk <e\r\nDate: Mon, 2 Mar 2026 11:00:00 +0100\r\nX: 1\r\n\r\n",
        );
        assert_eq!(headers.address("from").as_deref(), Some("ada@example.com"));
        assert_eq!(headers.text("subject").as_deref(), Some("Grüße an ü"));
        assert_eq!(headers.ids("references"), ["a@b", "c@d"]);
        assert_eq!(headers.date("date"), Some(1_772_445_600));
        assert_eq!(headers.date("x"), None);
        assert_eq!(headers.address("x"), None);
        assert_eq!(headers.kind(), "text/plain");
    }
}
