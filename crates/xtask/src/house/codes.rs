//! Every error code in the sources has a page, and every page has a code.
//!
//! A code is a kebab-case literal that stands where codes stand: in a function called `code` or
//! `*_code`, in a constant called `*CODE`, in a list made by a macro `codes!`, in a field `code`, or as
//! the argument of one of our own functions for a parameter called `code`. Test code does not count.

use super::source::{Source, for_tests_only};
use crate::tree::File;
use std::collections::{BTreeMap, BTreeSet};
use syn::visit::{self, Visit};

const PAGES: &str = "docs/errors/";
/// What a page tells: what happened, how to repair it, what usually causes it.
const HEADINGS: [&str; 3] = ["## What happened", "## How to repair it", "## Common causes"];

pub fn findings(sources: &[Source<'_>], files: &[File]) -> Vec<String> {
    let codes = codes(sources);
    let mut found = Vec::new();
    for (code, place) in &codes {
        let page = format!("{PAGES}{code}.md");
        match files.iter().find(|file| file.path == page) {
            None => found.push(format!("{place}: code `{code}` has no page; write {page}")),
            Some(file) => {
                if !file.text.contains(&format!("\nCode: `{code}`\n")) {
                    found.push(format!("{page}: the line ``Code: `{code}` `` is missing below the title"));
                }
                let missing = HEADINGS.iter().filter(|heading| !file.text.contains(*heading));
                found.extend(missing.map(|heading| format!("{page}: the heading `{heading}` is missing")));
            }
        }
    }
    let pages = files.iter().filter_map(|file| Some((file, file.path.strip_prefix(PAGES)?.strip_suffix(".md")?)));
    for (file, code) in pages.filter(|(_, code)| *code != "README") {
        if !codes.contains_key(code) {
            found.push(format!("{}: no source uses the code `{code}`; remove the page or mend its name", file.path));
        }
    }
    found
}

/// Code to the first file that uses it.
fn codes(sources: &[Source<'_>]) -> BTreeMap<String, String> {
    let product: Vec<&Source<'_>> = sources
        .iter()
        .filter(|source| !source.is_test() && source.file.path.starts_with("crates/") && !source.file.path.starts_with("crates/xtask/"))
        .collect();
    let mut doors = Doors::default();
    for source in &product {
        doors.visit_file(&source.tree);
    }
    let mut found = BTreeMap::new();
    for source in &product {
        let mut visitor = Codes { doors: &doors, in_code_function: false, found: BTreeSet::new() };
        visitor.visit_file(&source.tree);
        for code in visitor.found {
            found.entry(code).or_insert_with(|| source.file.path.clone());
        }
    }
    found
}

/// Our functions with a parameter called `code`: name to its places among the arguments, without `self`.
#[derive(Default)]
struct Doors {
    places: BTreeMap<String, BTreeSet<usize>>,
}

impl<'ast> Visit<'ast> for Doors {
    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        let arguments = signature.inputs.iter().filter_map(|input| match input {
            syn::FnArg::Typed(typed) => Some(typed),
            syn::FnArg::Receiver(_) => None,
        });
        for (place, argument) in arguments.enumerate() {
            if matches!(&*argument.pat, syn::Pat::Ident(name) if name.ident == "code") {
                self.places.entry(signature.ident.to_string()).or_default().insert(place);
            }
        }
    }
}

struct Codes<'a> {
    doors: &'a Doors,
    in_code_function: bool,
    found: BTreeSet<String>,
}

impl Codes<'_> {
    fn take(&mut self, text: &str) {
        let kebab = text.split('-').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
        if kebab && text.contains('-') {
            self.found.insert(text.to_owned());
        }
    }

    fn take_expression(&mut self, expression: &syn::Expr) {
        if let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = expression {
            self.take(&text.value());
        }
    }

    fn take_arguments<'e>(&mut self, function: &str, arguments: impl Iterator<Item = &'e syn::Expr>) {
        let Some(places) = self.doors.places.get(function) else { return };
        for (_, argument) in arguments.enumerate().filter(|(place, _)| places.contains(place)) {
            self.take_expression(argument);
        }
    }

    fn inside<F: FnOnce(&mut Self)>(&mut self, name: &syn::Ident, visit: F) {
        let before = self.in_code_function;
        self.in_code_function = name == "code" || name.to_string().ends_with("_code");
        visit(self);
        self.in_code_function = before;
    }
}

impl<'ast> Visit<'ast> for Codes<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !for_tests_only(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !for_tests_only(&item.attrs) {
            self.inside(&item.sig.ident, |codes| visit::visit_item_fn(codes, item));
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.inside(&item.sig.ident, |codes| visit::visit_impl_item_fn(codes, item));
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        if item.ident.to_string().ends_with("CODE") {
            self.take_expression(&item.expr);
        }
        visit::visit_item_const(self, item);
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        if item.ident.to_string().ends_with("CODE") {
            self.take_expression(&item.expr);
        }
        visit::visit_impl_item_const(self, item);
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        if item.mac.path.is_ident("codes") {
            for token in item.mac.tokens.clone() {
                if let Ok(text) = syn::parse2::<syn::LitStr>(token.into()) {
                    self.take(&text.value());
                }
            }
        }
    }

    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        if matches!(&field.member, syn::Member::Named(name) if name == "code") {
            self.take_expression(&field.expr);
        }
        visit::visit_field_value(self, field);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(path) = &*call.func
            && let Some(last) = path.path.segments.last()
        {
            self.take_arguments(&last.ident.to_string(), call.args.iter());
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.take_arguments(&call.method.to_string(), call.args.iter());
        visit::visit_expr_method_call(self, call);
    }

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        if self.in_code_function {
            self.take(&text.value());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, pages: &[&str], expected: &[&str]) {
        let file = File { path: "crates/a/src/lib.rs".to_owned(), text: source.to_owned() };
        let sources = [Source { file: &file, tree: syn::parse_file(source).expect("the example is Rust") }];
        let pages: Vec<File> = pages
            .iter()
            .map(|code| File { path: format!("{PAGES}{code}.md"), text: format!("# Title\n\nCode: `{code}`\n{}\n", HEADINGS.join("\n")) })
            .collect();
        assert_eq!(findings(&sources, &pages), expected);
    }

    #[test]
    fn a_code_is_found_wherever_codes_stand() {
        for source in [
            "impl E { fn code(&self) -> &str { match self { A => \"bad-time\" } } }",
            "fn reject_code() -> &'static str { \"bad-time\" }",
            "const TIME_CODE: &str = \"bad-time\";",
            "impl E { pub const CODE: &'static str = \"bad-time\"; }",
            "codes! { BAD_TIME = \"bad-time\"; }",
            "fn f() -> P { P { code: \"bad-time\", other: \"no-code\" } }",
            "fn report(&mut self, code: &'static str, text: &str) {} fn f() { report(x, \"bad-time\", \"no-code\") }",
            "impl R { fn report(&mut self, code: &'static str) {} } fn f() { r.report(\"bad-time\") }",
        ] {
            let source = source.replace(
                "fn report(&mut self, code: &'static str, text: &str) {}",
                "fn report(place: u8, code: &'static str, text: &str) {}",
            );
            check(&source, &["bad-time"], &[]);
            check(&source, &[], &["crates/a/src/lib.rs: code `bad-time` has no page; write docs/errors/bad-time.md"]);
        }
    }

    #[test]
    fn other_words_and_test_code_are_no_codes() {
        check("fn f() -> &'static str { \"bad-time\" }", &[], &[]);
        check("#[cfg(test)] mod tests { const TIME_CODE: &str = \"bad-time\"; }", &[], &[]);
        check("fn code() -> &'static str { \"Bad time\" }", &[], &[]);
    }

    #[test]
    fn a_page_without_a_code_is_found() {
        check("", &["bad-time"], &["docs/errors/bad-time.md: no source uses the code `bad-time`; remove the page or mend its name"]);
    }
}
