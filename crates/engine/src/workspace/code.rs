//! The codes of everything that can be wrong with a workspace, in one place.
//!
//! A code is a promise: it never changes its meaning, and `docs/errors/<code>.md` explains it.
//! Codes of conditions belong to `model::condition`.

/// One line per code gives the constant and its place in [`ALL`].
macro_rules! codes {
    ($($name:ident = $text:literal;)*) => {
        $(pub const $name: &str = $text;)*
        /// Every code of this room, in the order in which they are written here.
        pub const ALL: &[&str] = &[$($text),*];
    };
}

codes! {
    // Files and YAML.
    MISSING_FILE = "missing-file";
    UNKNOWN_FILE = "unknown-file";
    NOT_READ_YET = "not-read-yet";
    EMPTY_FILE = "empty-file";
    YAML_SYNTAX = "yaml-syntax";
    YAML_DUPLICATE_KEY = "yaml-duplicate-key";
    YAML_KEY = "yaml-key";
    YAML_ALIAS = "yaml-alias";
    YAML_TAG = "yaml-tag";
    YAML_DOCUMENTS = "yaml-documents";
    YAML_TOO_DEEP = "yaml-too-deep";
    YAML_TOO_LARGE = "yaml-too-large";
    // Keys and values.
    UNKNOWN_KEY = "unknown-key";
    MISSING_KEY = "missing-key";
    WRONG_TYPE = "wrong-type";
    OUT_OF_RANGE = "out-of-range";
    UNKNOWN_VALUE = "unknown-value";
    NOT_A_DURATION = "not-a-duration";
    NOT_A_TIME = "not-a-time";
    BAD_NAME = "bad-name";
    RESERVED_NAME = "reserved-name";
    DUPLICATE_NAME = "duplicate-name";
    CONFLICTING_KEYS = "conflicting-keys";
    BAD_PATTERN = "bad-pattern";
    UNKNOWN_TIME_ZONE = "unknown-time-zone";
    SECRET_IN_WORKSPACE = "secret-in-workspace";
    // Things that refer to each other.
    UNKNOWN_AUDIENCE = "unknown-audience";
    UNKNOWN_TRAIT = "unknown-trait";
    UNKNOWN_ATTRIBUTE = "unknown-attribute";
    UNKNOWN_EVENT = "unknown-event";
    UNKNOWN_PROPERTY = "unknown-property";
    UNKNOWN_PURPOSE = "unknown-purpose";
    UNKNOWN_JOURNEY = "unknown-journey";
    UNKNOWN_TEMPLATE = "unknown-template";
    UNKNOWN_CHANNEL = "unknown-channel";
    CHANNEL_WITHOUT_ACCOUNT = "channel-without-account";
    NOT_AVAILABLE_HERE = "not-available-here";
    CIRCULAR_DEFINITION = "circular-definition";
    COMPUTED_TRAIT_SET = "computed-trait-set";
    KEY_COLLISION = "key-collision";
    POLICY_LOOSENS = "policy-loosens";
    // Journeys.
    UNKNOWN_STEP = "unknown-step";
    STEP_IN_OTHER_BRANCH = "step-in-other-branch";
    UNKNOWN_STEP_KIND = "unknown-step-kind";
    SEVERAL_STEP_KINDS = "several-step-kinds";
    UNKNOWN_OUTCOME = "unknown-outcome";
    UNAVAILABLE_STEP = "unavailable-step";
    UNAVAILABLE_ENTRY = "unavailable-entry";
    UNREACHABLE_STEP = "unreachable-step";
    LOOP_WITHOUT_LIMIT = "loop-without-limit";
    WAIT_WITHOUT_TIMEOUT = "wait-without-timeout";
    WEIGHTS_SUM = "weights-sum";
    EXPERIMENT_DIFFERS = "experiment-differs";
    GROUP_OVERLAP = "group-overlap";
    // Templates.
    TEMPLATE_FILE_NAME = "template-file-name";
    TEMPLATE_EMPTY = "template-empty";
    TEMPLATE_SYNTAX = "template-syntax";
    TEMPLATE_VARIABLE = "template-variable";
    TEMPLATE_FILTER = "template-filter";
    TEMPLATE_MJML = "template-mjml";
    TEMPLATE_VOICE = "template-voice";
    TEMPLATE_SUBJECT = "template-subject";
    TEMPLATE_UNSUBSCRIBE = "template-unsubscribe";
    TEMPLATE_LACKS_CHANNEL = "template-lacks-channel";
    TEMPLATE_LACKS_LANGUAGE = "template-lacks-language";
}
