//! Bodies as they come off the socket.

use actix_web::error::PayloadError;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt as _;

/// The whole body. Most come in one piece, and that is not copied.
///
/// # Errors
/// `Overflow` beyond `limit` bytes; others when the connection ended too early.
pub(super) async fn read(mut payload: Payload, limit: usize) -> Result<Bytes, PayloadError> {
    let mut body = Bytes::new();
    while let Some(piece) = payload.next().await.transpose()? {
        if body.len() + piece.len() > limit {
            return Err(PayloadError::Overflow);
        }
        body = if body.is_empty() { piece } else { joined(body, &piece) };
    }
    Ok(body)
}

/// Bytes that nobody else holds grow in place.
fn joined(body: Bytes, piece: &[u8]) -> Bytes {
    let mut body = BytesMut::from(body);
    body.extend_from_slice(piece);
    body.freeze()
}
