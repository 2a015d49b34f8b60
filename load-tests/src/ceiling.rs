//! The ceiling: a bare server that only checks the signature. What a gateway reaches is a fraction of this, on the same
//! machine, with the same generator, in the same run.

use std::net::TcpListener;

use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

use crate::client::{SIGNATURE_HEADER, Signer};

/// Serves until the process ends.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(listener: TcpListener, app_secret: &str) -> std::io::Result<()> {
    let signer = Signer::new(app_secret.as_bytes());
    actix_rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(signer.clone()))
                .route("/webhooks/whatsapp", web::post().to(receive))
        });
        server.listen(listener)?.run().await
    })
}

async fn receive(request: HttpRequest, body: web::Bytes, signer: web::Data<Signer>) -> HttpResponse {
    let given = request.headers().get(SIGNATURE_HEADER);
    let right = given.is_some_and(|header| signer.verifies(&body, header.as_bytes()));
    HttpResponse::new(if right { StatusCode::OK } else { StatusCode::UNAUTHORIZED })
}
