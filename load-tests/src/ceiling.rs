//! The ceiling: a bare server that checks the signature and, if asked to, parses. What a gateway reaches is a fraction
//! of this, on the same machine, with the same generator, in the same run.

use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

use crate::client::{SIGNATURE_HEADER, Signer};
use crate::load::{Corpus, Numbers, Pace, Target, drive_plain};
use crate::process::{Process, free_address};

/// What is done for each webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Checks the signature.
    Signature,
    /// Also reads the whole webhook, as the gateway does.
    Parsed,
}

/// It listens within this.
const PATIENCE: Duration = Duration::from_secs(10);
/// Warms both sides up.
const WARM_UP: Duration = Duration::from_secs(1);

/// Serves until the process ends.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(listener: TcpListener, app_secret: &str, depth: Depth) -> std::io::Result<()> {
    let signer = Signer::new(app_secret.as_bytes());
    actix_rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(signer.clone()))
                .app_data(web::Data::new(depth))
                .route("/webhooks/whatsapp", web::post().to(receive))
        });
        server.listen(listener)?.run().await
    })
}

async fn receive(
    request: HttpRequest,
    body: web::Bytes,
    signer: web::Data<Signer>,
    depth: web::Data<Depth>,
) -> HttpResponse {
    let given = request.headers().get(SIGNATURE_HEADER);
    let right = given.is_some_and(|header| signer.verifies(&body, header.as_bytes()));
    let status = match **depth {
        _ if !right => StatusCode::UNAUTHORIZED,
        Depth::Parsed if protocol::whatsapp::webhook::decode(&body).is_err() => StatusCode::BAD_REQUEST,
        Depth::Signature | Depth::Parsed => StatusCode::OK,
    };
    HttpResponse::new(status)
}

/// Starts it as a process, and sends it the requests of a corpus again and again as fast as it answers.
///
/// # Errors
/// When it does not start.
pub fn measure(
    depth: Depth,
    corpus: &Rc<Corpus>,
    app_secret: &str,
    connections: usize,
    limit: Duration,
) -> std::io::Result<Numbers> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("ceiling").arg("--listen").arg(address.to_string()).arg("--secret").arg(app_secret);
    if depth == Depth::Parsed {
        command.arg("--parse");
    }
    let _process = Process::of(command.stdout(Stdio::null()).spawn()?);
    let since = Instant::now();
    while TcpStream::connect(address).is_err() && since.elapsed() < PATIENCE {
        std::thread::yield_now();
    }
    let target = Target { addresses: vec![address], connections };
    // Nothing is kept there, so requests may come again.
    drive_plain(&target, corpus, 0..usize::MAX, Pace::Closed, WARM_UP)?;
    Ok(drive_plain(&target, corpus, 0..usize::MAX, Pace::Closed, limit)?.numbers())
}
