//! The Graph API and the control endpoints over HTTP.

mod control;
mod media;
mod messages;
mod objects;
mod templates;

use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use actix_web::dev::Extensions;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::Value;
use tokio::sync::oneshot;

use super::delivery;
use super::error::GraphError;
use super::shared::Shared;
use crate::limits::{MEDIA_BYTES, REQUEST_BYTES};

/// Any version of the Graph API.
const VERSION: &str = r"/{version:v[0-9]+\.[0-9]+}";

/// A second handle of the caller's connection, to close it without an answer.
struct Connection(TcpStream);

/// Serves until told to stop; says once whether it came up.
pub(crate) fn run(
    shared: Arc<Shared>,
    listener: TcpListener,
    stopped: oneshot::Receiver<()>,
    started: &SyncSender<std::io::Result<()>>,
) -> std::io::Result<()> {
    actix_rt::System::new().block_on(async move {
        let state = web::Data::from(Arc::clone(&shared));
        let server = HttpServer::new(move || App::new().app_data(state.clone()).configure(routes))
            .on_connect(keep_connection)
            .workers(1)
            .disable_signals()
            .listen(listener);
        let server = match server {
            Ok(server) => server.run(),
            Err(error) => {
                // Refused only when nobody waits for the start any more.
                let _ = started.send(Err(error));
                return Ok(());
            }
        };
        let _ = started.send(Ok(()));
        let deliveries = actix_rt::spawn(delivery::run(shared));
        let control = server.handle();
        actix_rt::spawn(async move {
            // An error means that the handle is gone, which is a wish to stop too.
            let _ = stopped.await;
            control.stop(false).await;
        });
        let ended = server.await;
        deliveries.abort();
        ended
    })
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(MEDIA_BYTES))
        .app_data(web::JsonConfig::default().limit(REQUEST_BYTES))
        .service(web::scope("/_simulator").configure(control::routes))
        .route("/_media/{id}", web::get().to(media::download))
        .service(
            web::scope(VERSION)
                .route("/{id}/messages", web::post().to(messages::send))
                .route("/{id}/marketing_messages", web::post().to(messages::send))
                .route("/{id}/media", web::post().to(media::upload))
                .route("/{id}/subscribed_apps", web::post().to(objects::subscribe))
                .route("/{id}/message_templates", web::get().to(templates::list))
                .route("/{id}/message_templates", web::post().to(templates::create))
                .route("/{id}/message_templates", web::delete().to(templates::delete))
                .route("/{id}/unpause", web::post().to(templates::unpause))
                .route("/{id}", web::get().to(objects::get))
                .route("/{id}", web::post().to(objects::edit))
                .route("/{id}", web::delete().to(objects::delete)),
        )
        .default_service(web::to(async || refusal(&GraphError::unknown_object("path"))));
}

fn keep_connection(connection: &dyn std::any::Any, extensions: &mut Extensions) {
    if let Some(stream) = connection.downcast_ref::<actix_web::rt::net::TcpStream>()
        && let Ok(descriptor) = stream.as_fd().try_clone_to_owned()
    {
        extensions.insert(Connection(descriptor.into()));
    }
}

/// Closes the caller's connection; the answer that follows goes nowhere.
fn reset(request: &HttpRequest) {
    if let Some(connection) = request.conn_data::<Connection>() {
        // Fails only when the caller closed it first.
        let _ = connection.0.shutdown(Shutdown::Both);
    }
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    request.headers().get("Authorization")?.to_str().ok()?.strip_prefix("Bearer ")
}

fn answer(result: Result<Value, GraphError>) -> HttpResponse {
    match result {
        Ok(body) => HttpResponse::Ok().json(body),
        Err(error) => refusal(&error),
    }
}

fn refusal(error: &GraphError) -> HttpResponse {
    HttpResponse::build(status(error.http_status())).json(error.body())
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
