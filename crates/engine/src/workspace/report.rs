//! Where findings are collected while a workspace is read.

use super::Finding;
use super::yaml::{self, Node};
use faden_model::diagnostic::{ByteRange, Problem, Severity};
use std::cell::RefCell;

/// Everything found so far, in all files.
#[derive(Debug, Default)]
pub struct Report(RefCell<Vec<Finding>>);

impl Report {
    /// Sorted by file and place, without repeats; of one place the errors first.
    pub fn finish(self) -> Vec<Finding> {
        let mut findings = self.0.into_inner();
        findings.sort_by(|a, b| {
            let rank = |finding: &Finding| finding.problem.severity == Severity::Warning;
            (&a.file, a.problem.place, rank(a), a.problem.code, &a.problem.message).cmp(&(
                &b.file,
                b.problem.place,
                rank(b),
                b.problem.code,
                &b.problem.message,
            ))
        });
        findings.dedup();
        findings
    }

    pub fn count(&self) -> usize {
        self.0.borrow().len()
    }
}

/// One file while it is read: its name and text, and where to report.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    pub file: &'a str,
    pub text: &'a str,
    report: &'a Report,
}

/// The start of a file, for what concerns it as a whole.
pub const WHOLE_FILE: ByteRange = ByteRange { start: 0, end: 0 };

impl<'a> Sheet<'a> {
    pub fn new(file: &'a str, text: &'a str, report: &'a Report) -> Sheet<'a> {
        Sheet { file, text, report }
    }

    pub fn error(&self, place: ByteRange, code: &'static str, message: impl Into<String>, help: impl Into<String>) {
        self.push(Problem { code, severity: Severity::Error, message: message.into(), help: help.into(), place });
    }

    pub fn warning(&self, place: ByteRange, code: &'static str, message: impl Into<String>, help: impl Into<String>) {
        self.push(Problem { code, severity: Severity::Warning, message: message.into(), help: help.into(), place });
    }

    /// A problem whose place is already in this file.
    pub fn push(&self, problem: Problem) {
        self.report.0.borrow_mut().push(Finding { file: self.file.to_owned(), problem });
    }

    /// A problem whose place is in the text of a scalar of this file.
    pub fn push_within(&self, node: &Node, problem: Problem) {
        let place = yaml::place_within(self.text, node, problem.place);
        self.push(Problem { place, ..problem });
    }

    /// How many findings there are so far, in all files.
    pub fn findings(&self) -> usize {
        self.report.count()
    }
}
