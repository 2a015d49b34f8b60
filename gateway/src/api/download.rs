//! Long answers that are written while they are read: a part of them is in memory at a time.

use actix_web::web::Bytes;
use actix_web::{HttpResponse, http::header};
use futures_util::stream::unfold;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::records::{Page, PageRequest, RecordsResult};
use tokio::sync::mpsc;
use utoipa::ToSchema;

use super::csv;
use super::problem::ApiResult;

/// Chunks that wait for a slow reader. Each holds a page of rows; with two the next page is read while one is sent.
const CHUNKS: usize = 2;
/// Rows that are read at once: what is in memory at a time.
pub(crate) const PAGE: usize = 200;
/// Lines of one report: what spreadsheets open. Whoever needs more asks for parts by `from` and `to`.
pub(crate) const MAX_LINES: usize = 1_000_000;

/// Format of a file.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// One line each, with a head.
    #[default]
    Csv,
    /// One document.
    Json,
}

impl Format {
    /// What file names end with.
    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// What answers say that they are.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => csv::CONTENT_TYPE,
            Self::Json => "application/json",
        }
    }
}

/// Writes the chunks of an answer.
pub(crate) struct Writer(mpsc::Sender<Bytes>);

/// The reader has gone, or a page could not be read; the answer ends in the middle.
#[derive(Debug)]
pub(crate) struct Broken;

impl Writer {
    /// Adds to the answer; waits for a reader that is slow.
    pub(crate) async fn write(&self, chunk: impl Into<Bytes>) -> Result<(), Broken> {
        self.0.send(chunk.into()).await.map_err(|_| Broken)
    }

    /// What a page holds, or the end of the answer.
    pub(crate) fn page<T>(&self, read: ApiResult<T>) -> Result<T, Broken> {
        read.map_err(|error| {
            tracing::warn!(%error, "a download ends before its end");
            Broken
        })
    }

    /// Reads page after page and writes each, until there is no other or at least `most` rows were read.
    pub(crate) async fn pages<T>(
        &self,
        most: usize,
        read: impl AsyncFn(PageRequest) -> RecordsResult<Page<T>>,
        mut write: impl AsyncFnMut(Vec<T>) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        let (mut cursor, mut rows) = (None, 0);
        loop {
            let page = PageRequest { limit: PAGE, cursor };
            let page = self.page(read(page).await.map_err(Into::into))?;
            rows += page.data.len();
            write(page.data).await?;
            cursor = page.next;
            if cursor.is_none() || rows >= most {
                return Ok(());
            }
        }
    }

    /// Adds entries to a JSON list that is open; `comma` is empty before the first one.
    pub(crate) async fn list(
        &self,
        comma: &mut &'static str,
        entries: impl Iterator<Item = impl Serialize>,
    ) -> Result<(), Broken> {
        let mut chunk = String::new();
        for entry in entries {
            chunk.push_str(comma);
            chunk.push_str(&json!(entry).to_string());
            *comma = ",";
        }
        self.write(chunk).await
    }
}

/// An answer with a file name that `write` fills. One that breaks off is cut without its last chunk, which readers
/// notice.
pub(crate) fn download<F, W>(kind: &str, file_name: &str, write: W) -> HttpResponse
where
    F: Future<Output = Result<(), Broken>> + 'static,
    W: FnOnce(Writer) -> F,
{
    let (sender, chunks) = mpsc::channel(CHUNKS);
    let writing = actix_web::rt::spawn(write(Writer(sender)));
    let stream = unfold((chunks, Some(writing)), |(mut chunks, mut writing)| async move {
        if let Some(chunk) = chunks.recv().await {
            return Some((Ok(chunk), (chunks, writing)));
        }
        // An error here breaks the connection off: the reader must not take a part for the whole.
        let ended = writing.take()?.await;
        let failed = || Err(std::io::Error::other("the answer could not be completed"));
        if matches!(ended, Ok(Ok(()))) { None } else { Some((failed(), (chunks, writing))) }
    });
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file_name}\"")))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(stream)
}
