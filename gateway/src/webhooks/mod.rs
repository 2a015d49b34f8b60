//! What providers call.

pub mod admission;
pub mod signature;
mod whatsapp;

use actix_web::web::{Data, PayloadConfig, ServiceConfig, get, post, resource};

use crate::state::AppState;

/// The routes of providers, with the body limit of the settings.
pub fn routes(state: Data<AppState>) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        let limit = PayloadConfig::new(state.settings.webhooks.max_body_bytes);
        let whatsapp = resource("/webhooks/whatsapp")
            .app_data(limit)
            .route(get().to(whatsapp::handshake))
            .route(post().to(whatsapp::receive));
        config.service(whatsapp);
    }
}
