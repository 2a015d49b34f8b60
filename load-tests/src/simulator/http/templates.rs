//! `/{account id}/message_templates`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::Value;

use super::{answer, bearer};
use crate::simulator::error::GraphError;
use crate::simulator::options::Template;
use crate::simulator::shared::Shared;
use crate::simulator::world::{Object, TemplateFilter};

type Path = web::Path<(String, String)>;

/// Which template to delete.
#[derive(Deserialize)]
pub(super) struct Deleted {
    name: String,
    hsm_id: Option<u64>,
}

pub(super) async fn list(
    request: HttpRequest,
    path: Path,
    filter: web::Query<TemplateFilter>,
    shared: web::Data<Shared>,
) -> HttpResponse {
    answer(shared.peek(|world, now_ms| {
        world.settle_reviews(now_ms);
        let account = world.account(bearer(&request), &path.1)?;
        Ok(world.list_templates(account, &filter))
    }))
}

pub(super) async fn create(
    request: HttpRequest,
    path: Path,
    body: web::Json<Value>,
    shared: web::Data<Shared>,
) -> HttpResponse {
    answer(shared.world(|world, now_ms| {
        world.settle_reviews(now_ms);
        let account = world.account(bearer(&request), &path.1)?;
        let mut body = body.into_inner();
        if let Some(fields) = body.as_object_mut() {
            // Fields that the simulator has no use for are not an error to the provider either.
            let known = ["name", "language", "category", "parameter_format", "components"];
            fields.retain(|key, _| known.contains(&key.as_str()));
        }
        let template: Template =
            serde_json::from_value(body).map_err(|error| GraphError::new(100, error.to_string()))?;
        world.create_template(now_ms, account, template)
    }))
}

pub(super) async fn delete(
    request: HttpRequest,
    path: Path,
    which: web::Query<Deleted>,
    shared: web::Data<Shared>,
) -> HttpResponse {
    answer(shared.world(|world, now_ms| {
        world.settle_reviews(now_ms);
        let account = world.account(bearer(&request), &path.1)?;
        world.delete_template(now_ms, account, (&which.name, which.hsm_id))
    }))
}

/// Lets a paused template go on; its owner is told.
pub(super) async fn unpause(request: HttpRequest, path: Path, shared: web::Data<Shared>) -> HttpResponse {
    answer(shared.world(|world, now_ms| match world.object(bearer(&request), &path.1)? {
        Object::Template(id) => world.unpause_template(now_ms, id),
        _ => Err(GraphError::unknown_object(&path.1)),
    }))
}
