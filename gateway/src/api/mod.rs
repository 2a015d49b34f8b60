//! The internal HTTP API under `/v1`.

use actix_web::web::ServiceConfig;

/// Adds the routes of the API to the public listener. Handlers find their needs in `web::Data<AppState>`.
pub fn configure(config: &mut ServiceConfig) {
    let _ = config;
}
