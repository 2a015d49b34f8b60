//! `POST /{phone number id}/messages`.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};

use super::{bearer, reset, status};
use crate::simulator::shared::Shared;
use crate::simulator::world::{Call, Ending};

pub(super) async fn send(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    body: web::Bytes,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let (_, id) = path.into_inner();
    let call = Call { token: bearer(&request), id: &id, body: &body };
    let reply = shared.world(|world, now_ms| world.send(now_ms, call));
    if reply.delay_ms > 0 {
        actix_web::rt::time::sleep(Duration::from_millis(reply.delay_ms)).await;
    }
    match reply.ending {
        Ending::Json(code, body) => HttpResponse::build(status(code)).json(body),
        Ending::Html(code) => {
            let page = "<html><body><h1>Sorry, something went wrong.</h1></body></html>";
            HttpResponse::build(status(code)).content_type("text/html").body(page)
        }
        Ending::Reset => {
            reset(&request);
            HttpResponse::ServiceUnavailable().finish()
        }
    }
}
