//! The two listeners: public and operator's.

use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;

use actix_web::dev::{ServerHandle, Service as _};
use actix_web::http::ConnectionType;
use actix_web::web::Data;
use actix_web::{App, HttpServer};

use super::in_flight::InFlight;
use super::{StartError, operator};
use crate::config::Settings;
use crate::limits::{
    ACCEPT_BACKLOG, CLOSE_SECONDS, KEEP_ALIVE, MAX_CONNECTIONS_PER_WORKER, OPERATOR_WORKERS, PAUSE_HEARD,
};
use crate::state::AppState;
use crate::{api, webhooks};

/// Bound sockets. Connections queue in the system until they are served.
pub struct Listeners {
    public: TcpListener,
    operator: TcpListener,
}

/// Listeners that are served.
pub(super) struct Serving {
    pub(super) public: ServerHandle,
    pub(super) operator: ServerHandle,
    /// The public socket once more: the HTTP server pauses, but leaves it open.
    door: TcpListener,
}

impl Serving {
    /// Refuses new connections from now on: whoever comes goes to another node at once, instead of waiting in the
    /// system's queue for nobody.
    pub(super) async fn close_door(&self) {
        // A socket that is shut while somebody accepts from it is an error in the log.
        self.public.pause().await;
        tokio::time::sleep(PAUSE_HEARD).await;
        if let Err(error) = rustix::net::shutdown(&self.door, rustix::net::Shutdown::Both) {
            tracing::warn!(%error, "the public address still takes connections");
        }
    }
}

impl Listeners {
    /// Binds both addresses of the settings.
    ///
    /// # Errors
    /// Names the address that cannot be bound.
    pub fn bind(settings: &Settings) -> Result<Self, StartError> {
        let bind = |address: SocketAddr| -> Result<_, StartError> {
            let named = |source: std::io::Error| StartError::Listen { address: address.to_string(), source };
            let listener = TcpListener::bind(address).map_err(named)?;
            // The standard library asks for 128 places; whoever finds none is kept waiting for a second and more.
            rustix::net::listen(&listener, ACCEPT_BACKLOG).map_err(|error| named(error.into()))?;
            Ok(listener)
        };
        Ok(Self { public: bind(settings.public.listen)?, operator: bind(settings.operator.listen)? })
    }

    /// Where they listen: public, operator.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn addresses(&self) -> std::io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.public.local_addr()?, self.operator.local_addr()?))
    }

    pub(super) fn serve(self, state: &Data<AppState>, in_flight: &InFlight) -> Result<Serving, StartError> {
        let door = self.public.try_clone()?;
        let settings = state.settings.clone();
        let (shared, counted) = (state.clone(), in_flight.clone());
        let mut public = HttpServer::new(move || {
            // Of this thread: what all requests of all threads count up and down is a cost of each.
            let (counted, stopping) = (Rc::new(counted.clone()), Rc::new(shared.stopping.clone()));
            App::new()
                .wrap_fn(move |request, service| {
                    let answer = service.call(request);
                    let (counted, stopping) = (counted.clone(), stopping.clone());
                    async move {
                        let _under_way = counted.enter();
                        let mut answer = answer.await;
                        if let (true, Ok(answer)) = (stopping.is_cancelled(), &mut answer) {
                            answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
                        }
                        answer
                    }
                })
                .app_data(shared.clone())
                .configure(webhooks::routes)
                .configure(api::configure)
        })
        .max_connections(MAX_CONNECTIONS_PER_WORKER)
        .keep_alive(KEEP_ALIVE)
        .disable_signals()
        .shutdown_timeout(CLOSE_SECONDS);
        if settings.public.workers > 0 {
            public = public.workers(settings.public.workers);
        }
        let public = public.listen(self.public)?.run();
        let shared = state.clone();
        let operator =
            HttpServer::new(move || App::new().app_data(shared.clone()).configure(operator::configure))
                .workers(OPERATOR_WORKERS)
                .disable_signals()
                .shutdown_timeout(CLOSE_SECONDS)
                .listen(self.operator)?
                .run();
        let serving = Serving { public: public.handle(), operator: operator.handle(), door };
        actix_rt::spawn(public);
        actix_rt::spawn(operator);
        Ok(serving)
    }
}
