//! Policy: may this message go out, on which channel, and when?
