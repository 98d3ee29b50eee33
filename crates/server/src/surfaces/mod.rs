//! Pages and addresses for customers, reached by signed links, without signing in.

use crate::access::Need;
use crate::state::App;
use axum::Router;

/// What these addresses need: the signed token in the path.
pub const ACCESS: &[(&str, &str, Need)] = &[];

/// All addresses for customers.
pub fn router() -> Router<App> {
    Router::new()
}
