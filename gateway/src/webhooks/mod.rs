//! What providers call.

pub mod admission;
mod body;
pub mod signature;
mod whatsapp;

use actix_web::web::{ServiceConfig, get, post, resource};

/// The routes of providers.
pub fn routes(config: &mut ServiceConfig) {
    // Each route is asked in turn whether the method is its own: the one that is called all the time stands first.
    let whatsapp = resource("/webhooks/whatsapp")
        .route(post().to(whatsapp::receive))
        .route(get().to(whatsapp::handshake));
    config.service(whatsapp);
}
