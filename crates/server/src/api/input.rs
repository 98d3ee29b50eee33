//! What callers of the API give: bodies, queries and places in lists, read once, refused with a problem.

use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use faden_model::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

/// Longest body of an API call, in bytes: a whole workspace fits many times.
pub const BODY_BYTES_MAX: usize = 16 << 20;
/// Items of one page.
const LIMIT_MAX: usize = 500;
const LIMIT: usize = 50;

/// A JSON body.
pub struct Input<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Input<T>, Problem> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                let detail = format!("the call is longer than {BODY_BYTES_MAX} bytes");
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail, "send less at once; nothing was taken")
            }
            _ => bad_input("the body could not be read to its end"),
        })?;
        // No body is an empty object: everything in it may be optional.
        let bytes = match bytes.trim_ascii() {
            b"" | b"null" => b"{}",
            // Serde would take a list for the members in their order.
            object if object.starts_with(b"{") => object,
            _ => return Err(bad_input("the body is not a JSON object")),
        };
        serde_json::from_slice(bytes).map(Input).map_err(|error| bad_input(format!("the body is not what this call takes: {error}")))
    }
}

/// The query of an address.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Asked<T>, Problem> {
        let read = Query::<T>::try_from_uri(&parts.uri);
        read.map(|Query(query)| Asked(query)).map_err(|error| bad_input(format!("the query cannot be read: {error}")))
    }
}

/// Where in a list, and how much of it.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// As the page before gave it in `next_page_token`.
    pub page_token: Option<String>,
    /// 1 to 500; 50 when missing.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u64>,
}

impl Page {
    /// # Errors
    /// When it is none of 1 to 500.
    pub fn limit(&self) -> Result<usize, Problem> {
        let limit = self.limit.map_or(Some(LIMIT), |limit| usize::try_from(limit).ok());
        limit.filter(|limit| (1..=LIMIT_MAX).contains(limit)).ok_or_else(|| bad_input(format!("`limit` must be 1 to {LIMIT_MAX}")))
    }

    /// The token, where one was given, in the form that its list makes.
    ///
    /// # Errors
    /// When it is not of this form.
    pub fn token<T: std::str::FromStr>(&self) -> Result<Option<T>, Problem> {
        let read = |token: &String| token.parse().map_err(|_| bad_input("`page_token` is not one that this list gave"));
        self.page_token.as_ref().filter(|token| !token.is_empty()).map(read).transpose()
    }
}

/// An instant of a query.
///
/// # Errors
/// When it is none.
pub fn instant(name: &str, text: &str) -> Result<Timestamp, Problem> {
    Timestamp::parse(text).map_err(|_| bad_input(format!("`{name}` is `{text}`; write an instant as 2026-03-01T12:00:00Z")))
}

/// The call says something that it may not say.
pub fn bad_input(detail: impl Into<String>) -> Problem {
    Problem::bad_request("bad-input", detail, "the OpenAPI document at /api/v1/openapi.json says what the call takes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_1_to_500_items_and_a_token_of_its_list() {
        let table = [(None, Some(50)), (Some(1), Some(1)), (Some(500), Some(500)), (Some(0), None), (Some(501), None)];
        for (limit, read) in table {
            let page = Page { page_token: None, limit };
            assert_eq!(page.limit().ok(), read, "{limit:?}");
        }
        for (token, read) in [("7", Ok(Some(7))), ("", Ok(None)), ("x", Err(400)), ("-1", Err(400))] {
            let page = Page { page_token: Some(token.to_owned()), limit: None };
            assert_eq!(page.token::<u64>().map_err(|problem| problem.status), read, "{token}");
        }
    }
}
