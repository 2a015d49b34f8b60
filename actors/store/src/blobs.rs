//! Contents of files: in a folder, or in a bucket that speaks S3. Which of them count is in [`crate::records::Files`].

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt as _, RetryConfig};

/// A request to a bucket is given up after this: a file of 100 MB takes about ten seconds.
const REQUEST_WAIT: Duration = Duration::from_secs(30);
/// Requests to a bucket are repeated for so long, which covers a restart of its server; callers wait meanwhile.
const RETRY_WAIT: Duration = Duration::from_secs(10);
/// Repetitions of one request.
const RETRIES: usize = 3;

/// Where contents are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlobPlace {
    /// In files. Nodes that share their work must all see the folder.
    Folder(PathBuf),
    /// In a bucket.
    Bucket(Bucket),
}

/// A bucket that speaks S3.
#[derive(Clone, PartialEq, Eq)]
pub struct Bucket {
    /// `s3://bucket` or `s3://bucket/prefix`.
    pub url: String,
    /// Address of a server other than Amazon's; empty for Amazon's own.
    pub endpoint: String,
    /// Region; empty for `us-east-1`.
    pub region: String,
    /// Key; empty: the credentials of the machine.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bucket")
            .field("url", &self.url)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// Why a content could not be stored, read or removed.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// It is not there.
    #[error("the content of the file is not there")]
    NotFound,
    /// The folder or the address of the bucket cannot be used.
    #[error("the place of files cannot be used")]
    Place(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The folder or the bucket failed.
    #[error("the store of files failed")]
    Failed(#[source] object_store::Error),
}

impl From<object_store::Error> for BlobError {
    fn from(error: object_store::Error) -> Self {
        if matches!(error, object_store::Error::NotFound { .. }) {
            Self::NotFound
        } else {
            Self::Failed(error)
        }
    }
}

/// Contents by name. Clones lead to the same place.
#[derive(Clone, Debug)]
pub struct Blobs(Arc<dyn ObjectStore>);

impl Blobs {
    /// Opens a place. A folder is made if it is not there; a bucket must be.
    ///
    /// # Errors
    /// [`BlobError::Place`] says what is wrong with it.
    pub fn open(place: &BlobPlace) -> Result<Self, BlobError> {
        match place {
            BlobPlace::Folder(folder) => open_folder(folder),
            BlobPlace::Bucket(bucket) => open_bucket(bucket),
        }
    }

    /// Stores a content durably.
    ///
    /// # Errors
    /// When the place fails.
    pub async fn put(&self, name: &str, content: Bytes) -> Result<(), BlobError> {
        Ok(self.0.put(&Path::from(name), content.into()).await.map(drop)?)
    }

    /// A whole content.
    ///
    /// # Errors
    /// [`BlobError::NotFound`], or when the place fails.
    pub async fn get(&self, name: &str) -> Result<Bytes, BlobError> {
        Ok(self.0.get(&Path::from(name)).await?.bytes().await?)
    }

    /// A content in parts.
    ///
    /// # Errors
    /// [`BlobError::NotFound`], or when the place fails; a part may fail later.
    pub async fn read(&self, name: &str) -> Result<BoxStream<'static, Result<Bytes, BlobError>>, BlobError> {
        let found = self.0.get(&Path::from(name)).await?;
        Ok(found.into_stream().map_err(BlobError::from).boxed())
    }

    /// Removes a content; one that is not there is removed already.
    ///
    /// # Errors
    /// When the place fails.
    pub async fn remove(&self, name: &str) -> Result<(), BlobError> {
        match self.0.delete(&Path::from(name)).await.map_err(BlobError::from) {
            Err(BlobError::NotFound) => Ok(()),
            other => other,
        }
    }
}

fn open_folder(folder: &FilePath) -> Result<Blobs, BlobError> {
    let unusable = |error: std::io::Error| BlobError::Place(error.into());
    std::fs::create_dir_all(folder).map_err(unusable)?;
    let store = LocalFileSystem::new_with_prefix(folder).map_err(|error| BlobError::Place(error.into()))?;
    Ok(Blobs(Arc::new(store.with_fsync(true))))
}

fn open_bucket(bucket: &Bucket) -> Result<Blobs, BlobError> {
    let client = ClientOptions::new().with_timeout(REQUEST_WAIT);
    let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_WAIT, ..RetryConfig::default() };
    let mut builder = AmazonS3Builder::new()
        .with_url(&bucket.url)
        .with_client_options(client)
        .with_retry(retry)
        // One file at a time is removed, and not every server knows the call for many.
        .with_disable_bulk_delete(true);
    if !bucket.region.is_empty() {
        builder = builder.with_region(&bucket.region);
    }
    if !bucket.endpoint.is_empty() {
        builder =
            builder.with_endpoint(&bucket.endpoint).with_allow_http(bucket.endpoint.starts_with("http://"));
    }
    if !bucket.access_key_id.is_empty() {
        let (key, secret) = (&bucket.access_key_id, &bucket.secret_access_key);
        builder = builder.with_access_key_id(key).with_secret_access_key(secret);
    }
    let store = builder.build().map_err(|error| BlobError::Place(error.into()))?;
    // `s3://bucket/prefix`: the builder takes the bucket only.
    let prefix =
        bucket.url.split("://").nth(1).and_then(|rest| rest.split_once('/')).map(|(_, prefix)| prefix);
    Ok(match prefix.filter(|prefix| !prefix.is_empty()) {
        Some(prefix) => Blobs(Arc::new(PrefixStore::new(store, prefix))),
        None => Blobs(Arc::new(store)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn d15_contents_are_kept_in_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let place = BlobPlace::Folder(folder.path().join("files"));
        let blobs = Blobs::open(&place).unwrap();
        blobs.put("ten_1/fil_2-3", Bytes::from_static(b"%PDF-1.7")).await.unwrap();
        drop(blobs);
        let blobs = Blobs::open(&place).unwrap();
        assert_eq!(blobs.get("ten_1/fil_2-3").await.unwrap(), b"%PDF-1.7".as_slice());
        let parts: Vec<Bytes> = blobs.read("ten_1/fil_2-3").await.unwrap().try_collect().await.unwrap();
        assert_eq!(parts.concat(), b"%PDF-1.7");
        blobs.remove("ten_1/fil_2-3").await.unwrap();
        blobs.remove("ten_1/fil_2-3").await.unwrap();
        assert!(matches!(blobs.get("ten_1/fil_2-3").await, Err(BlobError::NotFound)));
    }

    #[test]
    fn d15_a_bucket_is_named_by_its_address_and_its_secret_is_not_shown() {
        let bucket = |url: &str| Bucket {
            url: url.to_owned(),
            endpoint: "http://127.0.0.1:9000".to_owned(),
            region: String::new(),
            access_key_id: "key".to_owned(),
            secret_access_key: "hidden".to_owned(),
        };
        let open = |url: &str| Blobs::open(&BlobPlace::Bucket(bucket(url)));
        assert!(open("s3://files").is_ok() && open("s3://files/gateway/live").is_ok());
        assert!(matches!(open("ftp://files"), Err(BlobError::Place(_))));
        let shown = format!("{:?} {:?}", bucket("s3://files"), open("s3://files").unwrap());
        assert!(!shown.contains("hidden"), "{shown}");
    }
}
