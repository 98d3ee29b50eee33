//! What the pages say, in the languages that they speak.

/// All words of one language.
pub struct Words {
    pub code: &'static str,
    pub preferences: &'static str,
    pub intro: &'static str,
    pub pending: &'static str,
    pub nothing: &'static str,
    pub preferred: &'static str,
    pub no_preference: &'static str,
    pub language: &'static str,
    pub mails: &'static str,
    pub text_only: &'static str,
    pub times: &'static str,
    pub times_from: &'static str,
    pub times_to: &'static str,
    pub times_hint: &'static str,
    pub save: &'static str,
    pub saved: &'static str,
    pub stop: &'static str,
    pub stop_hint: &'static str,
    pub stop_button: &'static str,
    pub service: &'static str,
    pub unsubscribe: &'static str,
    pub unsubscribe_ask: &'static str,
    pub unsubscribe_button: &'static str,
    pub unsubscribed: &'static str,
    pub all_choices: &'static str,
    pub confirm: &'static str,
    pub confirm_ask: &'static str,
    pub confirm_button: &'static str,
    pub confirmed: &'static str,
    pub wrong_link: &'static str,
    pub wrong_link_hint: &'static str,
    pub busy: &'static str,
    pub busy_hint: &'static str,
}

pub const ENGLISH: Words = Words {
    code: "en",
    preferences: "Your messages",
    intro: "Choose what you want to hear about, and where.",
    pending: "waiting for your confirmation",
    nothing: "There is nothing to choose: no messages of this kind go to you.",
    preferred: "Where we should write to first",
    no_preference: "no preference",
    language: "Language",
    mails: "How our e-mails should look",
    text_only: "plain text (screen readers)",
    times: "When we may write to you",
    times_from: "From",
    times_to: "Until",
    times_hint: "In your local time. Messages that come outside of it wait. Leave both empty if any time suits you.",
    save: "Save",
    saved: "Your choices are saved and hold from now on.",
    stop: "Stop everything",
    stop_hint: "No message at all will reach you any more, not even about your orders or your account.",
    stop_button: "Stop all messages",
    service: "Messages that belong to something you ordered or asked for are sent without being chosen here.",
    unsubscribe: "Unsubscribe",
    unsubscribe_ask: "Do you no longer want these messages?",
    unsubscribe_button: "Unsubscribe",
    unsubscribed: "You are unsubscribed. This holds from now on.",
    all_choices: "See all choices",
    confirm: "Please confirm",
    confirm_ask: "Do you want these messages?",
    confirm_button: "Yes, I want them",
    confirmed: "Thank you, it is confirmed.",
    wrong_link: "This link does not work",
    wrong_link_hint: "It is not complete, or it belongs to somebody who is no longer known here. Please open it from the message again.",
    busy: "Not saved",
    busy_hint: "We cannot save right now. Please try again in a moment.",
};

pub const GERMAN: Words = Words {
    code: "de",
    preferences: "Ihre Nachrichten",
    intro: "Wählen Sie, wovon Sie hören möchten, und wo.",
    pending: "wartet auf Ihre Bestätigung",
    nothing: "Hier gibt es nichts zu wählen: Solche Nachrichten gehen nicht an Sie.",
    preferred: "Wohin wir zuerst schreiben sollen",
    no_preference: "keine Vorliebe",
    language: "Sprache",
    mails: "Wie unsere E-Mails aussehen sollen",
    text_only: "reiner Text (zum Vorlesen)",
    times: "Wann wir Ihnen schreiben dürfen",
    times_from: "Von",
    times_to: "Bis",
    times_hint: "In Ihrer Ortszeit. Nachrichten außerhalb davon warten. Lassen Sie beides leer, wenn jede Zeit recht ist.",
    save: "Speichern",
    saved: "Ihre Auswahl ist gespeichert und gilt ab sofort.",
    stop: "Alles abbestellen",
    stop_hint: "Es erreicht Sie gar keine Nachricht mehr, auch nicht zu Ihren Bestellungen oder Ihrem Konto.",
    stop_button: "Alle Nachrichten abbestellen",
    service: "Nachrichten zu etwas, das Sie bestellt oder angefragt haben, kommen ohne Auswahl an dieser Stelle.",
    unsubscribe: "Abbestellen",
    unsubscribe_ask: "Möchten Sie diese Nachrichten nicht mehr bekommen?",
    unsubscribe_button: "Abbestellen",
    unsubscribed: "Sie haben abbestellt. Das gilt ab sofort.",
    all_choices: "Alle Einstellungen ansehen",
    confirm: "Bitte bestätigen",
    confirm_ask: "Möchten Sie diese Nachrichten bekommen?",
    confirm_button: "Ja, ich möchte sie",
    confirmed: "Danke, das ist bestätigt.",
    wrong_link: "Dieser Link funktioniert nicht",
    wrong_link_hint: "Er ist nicht vollständig oder gehört zu jemandem, der hier nicht mehr bekannt ist. Bitte öffnen Sie ihn noch einmal aus der Nachricht.",
    busy: "Nicht gespeichert",
    busy_hint: "Wir können gerade nicht speichern. Bitte versuchen Sie es gleich noch einmal.",
};

/// Languages of the pages and how they call themselves.
pub const LANGUAGES: [(&str, &str); 2] = [("en", "English"), ("de", "Deutsch")];

/// The words of the first language that is spoken here: the customer's own, then those his browser asks for.
pub fn words(own: Option<&str>, accepted: &str) -> &'static Words {
    let browser = accepted.split(',').map(|part| part.split(';').next().unwrap_or_default());
    for wanted in own.into_iter().chain(browser) {
        match wanted.trim().get(..2).map(str::to_ascii_lowercase).as_deref() {
            Some("en") => return &ENGLISH,
            Some("de") => return &GERMAN,
            _ => {}
        }
    }
    &ENGLISH
}

/// A channel as people call it.
pub fn channel(words: &Words, kind: &str) -> String {
    let german = words.code == "de";
    match kind {
        "email" => if german { "E-Mail" } else { "E-mail" }.to_owned(),
        "sms" => "SMS".to_owned(),
        "rcs" => "RCS".to_owned(),
        "whatsapp" => "WhatsApp".to_owned(),
        "push" => if german { "App-Mitteilungen" } else { "App notifications" }.to_owned(),
        "web_push" => if german { "Browser-Mitteilungen" } else { "Browser notifications" }.to_owned(),
        "voice" => if german { "Telefon" } else { "Phone calls" }.to_owned(),
        other => titled(other),
    }
}

/// `price_alerts` as `Price alerts`.
pub fn titled(name: &str) -> String {
    let plain = name.replace(['_', '-'], " ");
    let mut letters = plain.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_customers_language_comes_before_the_browsers() {
        let table = [
            (Some("de-AT"), "en", "de"),
            (Some("fr"), "de-DE,de;q=0.9,en;q=0.8", "de"),
            (None, "fr-FR, en;q=0.5", "en"),
            (None, "", "en"),
            (Some("ü"), "de", "de"),
        ];
        for (own, accepted, wanted) in table {
            assert_eq!(words(own, accepted).code, wanted, "{own:?} {accepted}");
        }
    }
}
