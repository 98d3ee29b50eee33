//! Any line from outside is an event or an error with a code; never a panic.
#![no_main]

use faden_model::Event;

libfuzzer_sys::fuzz_target!(|line: &[u8]| {
    let Ok(text) = std::str::from_utf8(line) else { return };
    match Event::parse(text, "DE") {
        Err(error) => assert!(!error.code().is_empty(), "an error has a code"),
        Ok(event) => {
            assert!(event.properties.starts_with('{'), "properties are an object");
            assert!(event.identifiers.iter().all(|identifier| !identifier.value.is_empty()), "an identifier has a value");
        }
    }
});
