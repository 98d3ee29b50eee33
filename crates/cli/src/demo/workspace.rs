//! The demo's workspace: the examples' journeys under one shop's settings and policies.

use faden_engine::workspace::Files;

macro_rules! example {
    ($example:literal, $($path:literal),+ $(,)?) => {
        [$(($path, include_str!(concat!("../../../../examples/", $example, "/", $path)))),+]
    };
}

/// Paths and texts.
pub fn files() -> Files {
    let own = [
        ("faden.yaml", include_str!("workspace/faden.yaml")),
        ("policies/global.yaml", include_str!("workspace/global.yaml")),
        ("policies/austria.yaml", include_str!("workspace/austria.yaml")),
    ];
    let cart = example!(
        "cart_recovery",
        "journeys/cart_recovery.yaml",
        "templates/cart_reminder/email.en.jinja",
        "templates/cart_reminder/sms.en.jinja",
        "templates/cart_reminder/whatsapp.en.jinja",
        "templates/free_delivery/email.en.jinja",
    );
    let welcome = example!(
        "welcome",
        "journeys/welcome.yaml",
        "audiences/buyers.yaml",
        "templates/hello/email.en.jinja",
        "templates/tips/email.en.jinja",
    );
    let win_back = example!(
        "win_back",
        "journeys/win_back.yaml",
        "audiences/quiet.yaml",
        "templates/voucher/email.en.jinja",
        "templates/we_miss_you/email.en.jinja",
    );
    let tiers = example!(
        "loyalty_tiers",
        "journeys/gold_reached.yaml",
        "journeys/gold_lost.yaml",
        "journeys/silver_reached.yaml",
        "audiences/silver.yaml",
        "audiences/gold.yaml",
        "templates/gold_reached/email.en.jinja",
        "templates/gold_lost/email.en.jinja",
        "templates/silver_reached/email.en.jinja",
    );
    let interest = example!(
        "product_interest",
        "journeys/product_interest.yaml",
        "audiences/interested.yaml",
        "templates/still_interested/email.en.jinja",
    );
    let review = example!("review_request", "journeys/review_request.yaml", "templates/how_was_it/email.en.jinja",);
    let all = own.into_iter().chain(cart).chain(welcome).chain(win_back).chain(tiers).chain(interest).chain(review);
    Files(all.map(|(path, text)| (path.to_owned(), text.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use faden_engine::workspace;

    #[test]
    fn the_demo_workspace_has_no_findings() {
        let files = files();
        let findings = workspace::read(&files).findings;
        let shown: Vec<String> =
            findings.iter().map(|finding| workspace::render(finding, &files.0[&finding.file], workspace::Colours::Off)).collect();
        assert!(shown.is_empty(), "{}", shown.join("\n"));
    }
}
