//! Does a customer say "stop", "start" or "help"? For every text that comes in, whatever the channel.
//!
//! Pure; it knows words, not consent. A text counts when it is one of the words and nothing else but words that
//! change nothing ("STOP please", "STOP SMS"); "stop by tomorrow?" does not. Capitals, accents and punctuation do not
//! matter. English words for "stop" and "help" hold everywhere, the others in the workspace's languages.
//!
//! Sources: the words that 47 CFR 64.1200(a)(10) names ("stop", "quit", "end", "revoke", "opt out", "cancel",
//! "unsubscribe"); the opt-out and help words of AWS End User Messaging (ARRET, CANCEL, END, OPT-OUT, OPTOUT, QUIT,
//! REMOVE, STOP, TD, UNSUBSCRIBE; UNSTOP and START to come back) and of Twilio (STOPALL, ARRETE, ARRETT); AIDE and
//! ARRET of the Canadian carriers' bilingual rules; RET of the Turkish rules for commercial messages; the other
//! languages' words are what their senders commonly print below messages. YES and NO are left out: they answer
//! questions of other kinds.

/// What the whole text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    Stop,
    Start,
    Help,
}

/// Folded as [`fold`] does it: lower case, no accents, no punctuation.
struct Words {
    language: &'static str,
    stop: &'static [&'static str],
    start: &'static [&'static str],
    help: &'static [&'static str],
}

const EVERYWHERE: Words = Words {
    language: "",
    stop: &["stop", "stopall", "stop all", "unsubscribe", "optout", "opt out"],
    start: &["start", "unstop"],
    help: &["help", "info"],
};

const LANGUAGES: [Words; 9] = [
    Words {
        language: "en",
        stop: &[
            "cancel",
            "end",
            "quit",
            "remove",
            "remove me",
            "revoke",
            "td",
            "unsubscribe me",
            "no more",
            "stop texting me",
            "stop messaging me",
        ],
        start: &["subscribe", "optin", "opt in"],
        help: &[],
    },
    Words {
        language: "de",
        stop: &[
            "stopp",
            "stoppen",
            "abmelden",
            "abmeldung",
            "abbestellen",
            "austragen",
            "ende",
            "keine werbung",
            "keine werbung mehr",
            "keine sms mehr",
        ],
        start: &["starten", "anmelden", "anmeldung"],
        help: &["hilfe"],
    },
    Words {
        language: "fr",
        stop: &[
            "arret",
            "arrete",
            "arrett",
            "arreter",
            "arretez",
            "desabonner",
            "desabonnement",
            "desabonnez moi",
            "me desabonner",
            "desinscrire",
            "desinscription",
        ],
        start: &["demarrer", "commencer", "reprendre", "reabonner"],
        help: &["aide"],
    },
    Words {
        language: "es",
        stop: &["baja", "dar de baja", "darme de baja", "alto", "parar", "detener", "cancelar", "no mas"],
        start: &["alta", "inicio", "iniciar", "comenzar", "empezar"],
        help: &["ayuda"],
    },
    Words {
        language: "it",
        stop: &["annulla", "cancella", "cancellami", "disiscrivi", "disiscrivimi", "ferma", "basta", "disattiva"],
        start: &["inizia", "iscrivi", "iscrivimi", "attiva"],
        help: &["aiuto"],
    },
    Words {
        language: "pt",
        stop: &["parar", "pare", "sair", "cancelar", "descadastrar", "remover", "chega"],
        start: &["iniciar", "comecar", "voltar"],
        help: &["ajuda"],
    },
    Words {
        language: "nl",
        stop: &["stoppen", "afmelden", "meld af", "uitschrijven", "schrijf uit"],
        start: &["starten", "aanmelden", "inschrijven"],
        help: &[],
    },
    Words {
        language: "pl",
        stop: &["wypisz", "wypisz mnie", "rezygnuje", "rezygnacja", "koniec", "anuluj", "zatrzymaj"],
        start: &["wznow", "zapisz", "zapisz mnie"],
        help: &["pomoc"],
    },
    Words {
        language: "tr",
        stop: &["ret", "red", "iptal", "dur", "durdur", "cikis"],
        start: &["basla", "baslat"],
        help: &["yardim", "bilgi"],
    },
];

/// Words that may stand before or after and change nothing; so do numbers, which senders print as "STOP 36200".
const AROUND: [&str; 26] = [
    "please", "pls", "now", "sms", "text", "texts", "messages", "message", "it", "this", "thanks", "bitte", "jetzt", "danke", "sofort",
    "svp", "merci", "por", "favor", "gracias", "ya", "grazie", "obrigado", "aub", "prosze", "lutfen",
];

/// `languages` are tags such as `de` or `pt-BR`.
pub fn meaning(text: &str, languages: &[impl AsRef<str>]) -> Option<Meaning> {
    // Nobody writes a stop word of this length; longer texts are not looked at.
    if text.len() > 200 {
        return None;
    }
    let folded = fold(text);
    let words: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).collect();
    let bare = strip(&words).join(" ");
    let candidates = [words.join(" "), bare];
    let spoken = LANGUAGES.iter().filter(|known| languages.iter().any(|tag| primary(tag.as_ref()) == known.language));
    let tables: Vec<&Words> = std::iter::once(&EVERYWHERE).chain(spoken).collect();
    let says = |list: fn(&Words) -> &'static [&'static str]| {
        tables.iter().any(|table| candidates.iter().any(|candidate| list(table).contains(&candidate.as_str())))
    };
    match () {
        () if says(|table| table.stop) => Some(Meaning::Stop),
        () if says(|table| table.start) => Some(Meaning::Start),
        () if says(|table| table.help) => Some(Meaning::Help),
        () => None,
    }
}

fn primary(tag: &str) -> String {
    tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
}

fn strip<'a>(words: &'a [&'a str]) -> &'a [&'a str] {
    let around = |word: &&str| AROUND.contains(word) || word.bytes().all(|byte| byte.is_ascii_digit());
    let start = words.iter().take_while(|word| around(word)).count();
    let end = words.len() - words[start..].iter().rev().take_while(|word| around(word)).count();
    &words[start..end]
}

/// Lower case without accents; everything but letters and digits becomes one space.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars().flat_map(char::to_lowercase) {
        let plain = match character {
            // Marks that stand on the letter before.
            '\u{300}'..='\u{36f}' | '\'' | '’' => continue,
            'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' | 'ą' => 'a',
            'ç' | 'ć' => 'c',
            'é' | 'è' | 'ê' | 'ë' | 'ę' => 'e',
            'ğ' => 'g',
            'í' | 'ì' | 'î' | 'ï' | 'ı' => 'i',
            'ł' => 'l',
            'ñ' | 'ń' => 'n',
            'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'ø' => 'o',
            'ş' | 'ś' => 's',
            'ú' | 'ù' | 'û' | 'ü' => 'u',
            'ź' | 'ż' => 'z',
            letter if letter.is_alphanumeric() => letter,
            _ => ' ',
        };
        folded.push(plain);
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_a_stop_word_and_nothing_else_means_it() {
        use Meaning::{Help, Start, Stop};
        let table = [
            ("STOP", "", Some(Stop)),
            ("stop", "de", Some(Stop)),
            (" \"Stop!\" \n", "tr", Some(Stop)),
            ("STOP ALL", "", Some(Stop)),
            ("Opt-Out", "", Some(Stop)),
            ("stop please", "", Some(Stop)),
            ("Please STOP", "", Some(Stop)),
            ("STOP 36200", "fr", Some(Stop)),
            ("STOP SMS", "fr", Some(Stop)),
            ("stop it!!", "", Some(Stop)),
            ("cancel", "en", Some(Stop)),
            ("cancel", "de", None),
            ("Stopp", "de", Some(Stop)),
            ("Stopp", "de-AT", Some(Stop)),
            ("Stopp", "en", None),
            ("bitte abmelden", "de", Some(Stop)),
            ("Keine Werbung mehr!", "de", Some(Stop)),
            ("ARRÊT", "fr", Some(Stop)),
            ("ARRE\u{302}T", "fr", Some(Stop)),
            ("désabonnez-moi", "fr", Some(Stop)),
            ("Baja", "es", Some(Stop)),
            ("dar de baja por favor", "es", Some(Stop)),
            ("basta", "it", Some(Stop)),
            ("SAIR", "pt_BR", Some(Stop)),
            ("afmelden", "nl", Some(Stop)),
            ("Rezygnuję", "pl", Some(Stop)),
            ("İPTAL", "tr", Some(Stop)),
            ("ıptal", "tr", Some(Stop)),
            ("çıkış", "tr", Some(Stop)),
            ("baja", "en de fr", None),
            ("ret", "de tr", Some(Stop)),
            ("START", "", Some(Start)),
            ("unstop", "", Some(Start)),
            ("alta", "es", Some(Start)),
            ("Wznów", "pl", Some(Start)),
            ("HELP", "", Some(Help)),
            ("info", "", Some(Help)),
            ("Hilfe", "de", Some(Help)),
            ("Aide", "fr", Some(Help)),
            ("yardım", "tr", Some(Help)),
            ("", "en", None),
            ("  !? ", "en", None),
            ("please", "en", None),
            ("12345", "en", None),
            ("yes", "en", None),
            ("no", "en", None),
            ("stop by tomorrow?", "en", None),
            ("don't stop", "en", None),
            ("I want to stop the contract", "en", None),
            ("This is the end", "en", None),
            ("stopover", "en", None),
            ("Стоп", "en", None),
        ];
        for (text, languages, expected) in table {
            let languages: Vec<&str> = languages.split_whitespace().collect();
            assert_eq!(meaning(text, &languages), expected, "{text:?} in {languages:?}");
        }
        assert_eq!(meaning(&format!("stop{}", " please".repeat(20)), &["en"]), Some(Stop));
        assert_eq!(meaning(&format!("stop{}", " please".repeat(50)), &["en"]), None);
    }

    #[test]
    fn every_word_is_written_as_texts_are_folded_and_means_one_thing() {
        for table in LANGUAGES.iter().chain([&EVERYWHERE]) {
            for (list, expected) in [(table.stop, Meaning::Stop), (table.start, Meaning::Start), (table.help, Meaning::Help)] {
                for word in list {
                    assert_eq!(&fold(word), word);
                    assert_eq!(meaning(&word.to_uppercase(), &[table.language]), Some(expected), "{word}");
                }
            }
        }
    }
}
