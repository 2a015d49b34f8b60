//! `/{id}`: accounts, numbers, templates and files share one space of ids.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::{answer, bearer};
use crate::simulator::error::GraphError;
use crate::simulator::shared::Shared;
use crate::simulator::world::Object;

type Path = web::Path<(String, String)>;

pub(super) async fn get(request: HttpRequest, path: Path, shared: web::Data<Shared>) -> HttpResponse {
    let id = &path.1;
    answer(shared.world(|world, now_ms| {
        world.settle_reviews(now_ms);
        match world.object(bearer(&request), id)? {
            Object::Account(index) => Ok(json!({ "id": world.accounts[index].waba_id, "name": "Simulated" })),
            Object::Number(id) => Ok(world.number_json(&id)),
            Object::Media(id) => world.media_json(now_ms, &id, &shared.base_url),
            Object::Template(number) => {
                world.template(number).map(|(_, json)| json).ok_or_else(|| GraphError::unknown_object(id))
            }
        }
    }))
}

pub(super) async fn edit(
    request: HttpRequest,
    path: Path,
    body: web::Json<Value>,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let id = &path.1;
    answer(shared.world(|world, now_ms| {
        world.settle_reviews(now_ms);
        match world.object(bearer(&request), id)? {
            Object::Template(number) => world.edit_template(now_ms, number, &body),
            _ => Err(GraphError::unknown_object(id)),
        }
    }))
}

pub(super) async fn delete(request: HttpRequest, path: Path, shared: web::Data<Shared>) -> HttpResponse {
    let id = &path.1;
    answer(shared.world(|world, _| match world.object(bearer(&request), id)? {
        Object::Media(id) => Ok(world.delete_media(&id)),
        _ => Err(GraphError::unknown_object(id)),
    }))
}

/// `POST /{account id}/subscribed_apps`, optionally with a callback of its own.
pub(super) async fn subscribe(
    request: HttpRequest,
    path: Path,
    body: web::Bytes,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let id = &path.1;
    if let Err(error) = shared.peek(|world, _| world.account(bearer(&request), id)) {
        return answer(Err(error));
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(url) = body["override_callback_uri"].as_str() {
        shared.set_callbacks(Some(id), &[url.to_owned()]);
    }
    answer(Ok(json!({ "success": true })))
}
