//! Experiments: how many met each arm, and how many of these reached their goal.

use super::journeys::counted;
use super::page::Page;
use crate::access::Need;
use crate::keys::Scope;
use crate::problem::Problem;
use crate::state::App;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use faden_engine::experiment::{Experiment as Plan, PARTS};
use faden_model::Text;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

pub const ACCESS: &[(&str, &str, Need)] = &[("GET", "/api/v1/experiments", Need::Scope(Scope::WorkspaceRead))];

pub fn router() -> Router<App> {
    Router::new().route("/api/v1/experiments", get(list))
}

#[derive(OpenApi)]
#[openapi(paths(list))]
pub struct Document;

#[derive(Debug, Serialize, ToSchema)]
pub struct Experiment {
    pub experiment: String,
    /// The arms, and behind them `holdout` and `out_of_group` where somebody met them.
    pub arms: Vec<Arm>,
    /// Share of all people that is kept out, in percent.
    pub holdout: f64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Arm {
    pub arm: String,
    /// Share in percent; null for people outside the experiment.
    pub weight: Option<f64>,
    /// Passages that met it.
    pub exposed: u64,
    /// Passages of these that reached the journey's goal.
    pub converted: u64,
}

fn percent(parts: u32) -> f64 {
    f64::from(parts) * 100.0 / f64::from(PARTS)
}

/// All experiments with their numbers
#[utoipa::path(get, path = "/api/v1/experiments", tag = "journeys",
    responses((status = 200, body = Page<Experiment>), (status = 401, body = Problem), (status = 403, body = Problem), (status = 503, body = Problem)))]
pub async fn list(State(app): State<App>) -> Result<Json<Page<Experiment>>, Problem> {
    let (index, counts) = counted(&app).await?;
    let number = |of: &std::collections::BTreeMap<(Text, Text), u64>, plan: &Plan, arm: &str| {
        of.get(&(plan.name.clone(), Text::new(arm))).copied().unwrap_or(0)
    };
    let arm = |plan: &Plan, name: &str, weight: Option<u32>| Arm {
        arm: name.to_owned(),
        weight: weight.map(percent),
        exposed: number(&counts.exposures, plan, name),
        converted: number(&counts.conversions, plan, name),
    };
    let experiment = |plan: &Plan| {
        let arms = plan.arms.iter().map(|known| arm(plan, &known.name, Some(known.weight)));
        let outside = ["holdout", "out_of_group"].into_iter().map(|name| arm(plan, name, None)).filter(|arm| arm.exposed > 0);
        Experiment { experiment: plan.name.to_string(), arms: arms.chain(outside).collect(), holdout: percent(plan.holdout) }
    };
    Ok(Page::whole(index.definitions.experiments.iter().map(experiment).collect()))
}
