//! Records in PostgreSQL, shared by all nodes.
//!
//! **Durability** is the server's: a call returns when its commit is as durable as the server's `synchronous_commit`
//! says, by default on its disk. Projections too, although they could be done again: what the feed showed under one
//! place must not stand at another after a crash of the server.
//!
//! **Several writers.** Nothing is remembered between two calls. What two nodes may do at once is held apart by
//! locks that end with their transaction (`Lock`) or by comparing before setting (cursors, positions, keys).
//!
//! **Connections** live on two threads of their own, and so does the work with them: callers are on executors that
//! may end before the store does, and a caller that goes away leaves no transaction half done.

mod connect;
mod schema;
mod session;
mod types;

pub use connect::AddressError;

use std::sync::Arc;

use deadpool_postgres::{Pool, PoolError};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

use super::limits::{POOL, POOL_THREADS};
use super::sql::{Database, Durability, rebuild_step};
use super::{RecordsError, RecordsResult};
use session::Session;

/// What is read belongs together, and is looked for by a plan for what is asked now: one that was made for any tenant, owner
/// or word at all, as a connection keeps them, took 200 ms for a page where this takes 18.
const BEGIN_SNAPSHOT: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL plan_cache_mode = force_custom_plan";

/// The records of all nodes of a store. Cheap to share behind an `Arc`.
pub struct PostgresRecords {
    pool: Pool,
    /// One permit for each connection: whoever closes waits for those that are lent.
    permits: Arc<Semaphore>,
    home: Home,
}

/// The threads that connections live on.
struct Home(Option<Runtime>);

impl PostgresRecords {
    /// Connects to the address, creating or migrating the tables as needed.
    ///
    /// # Errors
    /// [`RecordsError::Invalid`] when the address cannot be used, [`RecordsError::Incompatible`] when a newer version
    /// made the tables, otherwise what the server says.
    pub async fn connect(url: &str) -> RecordsResult<Self> {
        let records =
            Self { pool: connect::pool(url)?, permits: Arc::new(Semaphore::new(POOL)), home: Home::new()? };
        records.run(|mut session| async move { schema::migrate(&mut session).await }.boxed()).await?;
        while records.write(Durability::Disk, |db| rebuild_step(db).boxed()).await? {}
        Ok(records)
    }

    /// Whether an address can be used, without connecting.
    ///
    /// # Errors
    /// What is wrong, without repeating the address: it may hold a password.
    pub fn check_url(url: &str) -> Result<(), AddressError> {
        connect::parse(url).map(drop)
    }

    /// Runs a job with a connection, at home.
    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(Session) -> BoxFuture<'static, RecordsResult<T>> + Send + 'static,
    ) -> RecordsResult<T> {
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| RecordsError::Closed)?;
        let pool = self.pool.clone();
        let work = async move {
            let answer = job(Session::new(pool.get().await?)).await;
            drop(permit);
            answer
        };
        let Some(home) = &self.home.0 else { return Err(RecordsError::Closed) };
        home.spawn(work).await.map_err(|error| RecordsError::Failed(error.into()))?
    }
}

impl Database for PostgresRecords {
    type Session = Session;

    async fn read<T: Send + 'static>(
        &self,
        job: impl for<'a> FnOnce(&'a mut Session) -> BoxFuture<'a, RecordsResult<T>> + Send + 'static,
    ) -> RecordsResult<T> {
        self.run(|mut session| async move { job(&mut session).await }.boxed()).await
    }

    async fn snapshot<T: Send + 'static>(
        &self,
        job: impl for<'a> FnOnce(&'a mut Session) -> BoxFuture<'a, RecordsResult<T>> + Send + 'static,
    ) -> RecordsResult<T> {
        self.run(|session| session.between(BEGIN_SNAPSHOT, job).boxed()).await
    }

    async fn write<T: Send + 'static>(
        &self,
        _: Durability,
        job: impl for<'a> FnOnce(&'a mut Session) -> BoxFuture<'a, RecordsResult<T>> + Send + 'static,
    ) -> RecordsResult<T> {
        // Every statement sees what was committed before it: after waiting for a lock that is what its holder wrote.
        self.run(|session| session.between("BEGIN ISOLATION LEVEL READ COMMITTED", job).boxed()).await
    }

    async fn close(&self) -> RecordsResult<()> {
        if let Ok(all) = self.permits.acquire_many(POOL as u32).await {
            self.permits.close();
            drop(all);
        }
        self.pool.close();
        Ok(())
    }
}

impl Home {
    fn new() -> RecordsResult<Self> {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(POOL_THREADS).thread_name("records").enable_all().build();
        runtime.map(|runtime| Self(Some(runtime))).map_err(|error| RecordsError::Failed(error.into()))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background(); // dropping it waits, which an executor forbids
        }
    }
}

impl From<PoolError> for RecordsError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Closed => Self::Closed,
            PoolError::Backend(error) => error.into(),
            other => Self::Failed(other.into()),
        }
    }
}
