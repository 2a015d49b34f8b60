//! Request bodies: JSON whose errors name the field, and a fingerprint that tells repeated requests apart.

use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};
use xxhash_rust::xxh3::xxh3_64;

use super::problem::{ApiError, ApiResult};

/// Largest body of an API request: the longest text, ten options and a flow of a hundred steps fit many times.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// A JSON body with the hash of everything that was asked (method, path, body).
#[derive(Debug)]
pub(crate) struct Body<T> {
    pub(crate) value: T,
    pub(crate) fingerprint: u64,
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, ApiResult<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let place = format!("{} {}\n", request.method(), request.path());
        let is_json = request.headers().get(header::CONTENT_TYPE).is_none_or(|kind| {
            kind.to_str()
                .is_ok_and(|text| text.trim_start().to_ascii_lowercase().starts_with("application/json"))
        });
        let payload = web::Payload::from_request(request, payload);
        Box::pin(async move {
            if !is_json {
                return Err(ApiError::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "media_type",
                    "Unsupported media type",
                    "send `Content-Type: application/json`",
                ));
            }
            let payload = payload.await.map_err(|error| unreadable(&error.to_string()))?;
            let bytes = payload.to_bytes_limited(MAX_BODY_BYTES).await.map_err(|_| {
                ApiError::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "too_large",
                    "Body too large",
                    format!("the body may have {MAX_BODY_BYTES} bytes"),
                )
            })?;
            let bytes = bytes.map_err(|error| unreadable(&error.to_string()))?;
            let value = parse(&bytes)?;
            let mut asked = place.into_bytes();
            asked.extend_from_slice(&bytes);
            Ok(Self { value, fingerprint: xxh3_64(&asked) })
        })
    }
}

fn unreadable(detail: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "unreadable", "The body cannot be read", detail)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> ApiResult<T> {
    // The decoder would take a list for a struct, its fields in order: nobody means that.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(ApiError::malformed("", "the body must be a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = match serde_path_to_error::deserialize(&mut json) {
        Ok(value) => value,
        Err(error) => {
            let told = error.inner();
            let whole = serde_json::from_slice::<Value>(bytes).ok();
            return match whole.map(|mut whole| (with_integers(&mut whole), whole)) {
                Some((true, whole)) => shaped(whole),
                _ if told.is_data() => Err(misplaced(error.path(), &told.to_string())),
                // A number where a name is expected reads like broken JSON until the whole is known to be JSON.
                Some((_, whole)) => shaped(whole),
                None => Err(unreadable(&format!("the body must be JSON: {told}"))),
            };
        }
    };
    json.end().map_err(|error| unreadable(&format!("the body must be one JSON value: {error}")))?;
    Ok(value)
}

/// Makes integers of what JSON Schema calls so, `3.0` as well as `3`. Answers whether there was any.
fn with_integers(whole: &mut Value) -> bool {
    // Beyond that a float does not tell neighbours apart, and nothing is counted so far.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match whole {
        Value::Array(values) => values.iter_mut().map(with_integers).filter(|made| *made).count() > 0,
        Value::Object(fields) => fields.values_mut().map(with_integers).filter(|made| *made).count() > 0,
        Value::Number(number) if number.is_f64() => {
            let whole = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < EXACT);
            let integer = whole.and_then(|float| format!("{float:.0}").parse::<i64>().ok());
            integer.is_some_and(|integer| {
                *number = integer.into();
                true
            })
        }
        _ => false,
    }
}

/// A JSON value as a body, with the same errors.
pub(crate) fn shaped<T: DeserializeOwned>(value: Value) -> ApiResult<T> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| misplaced(error.path(), &error.inner().to_string()))
}

fn misplaced(path: &Path, detail: &str) -> ApiError {
    let (pointer, detail) = place(path, detail);
    ApiError::malformed(pointer, detail)
}

/// The place of an error as a JSON pointer, and what is wrong there without the position in the text.
pub(super) fn place(path: &Path, detail: &str) -> (String, String) {
    let detail = detail.split(" at line ").next().unwrap_or(detail);
    let pointer = pointer(path);
    match detail.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        Some(field) => (format!("{pointer}/{field}"), "is required".to_owned()),
        None => (pointer, detail.to_owned()),
    }
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path.iter() {
        pointer.push('/');
        match segment {
            Segment::Seq { index } => pointer.push_str(&index.to_string()),
            Segment::Map { key } => pointer.push_str(&key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => pointer.push_str(variant),
            Segment::Unknown => pointer.push('?'),
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use protocol::api::message::SendRequest;

    use super::*;

    #[test]
    fn errors_name_the_field() {
        let cases = [
            (r#"["text"]"#, "must be a JSON object"),
            (r#"{"type":"text","text":{"body":7}}"#, "/text/body"),
            (r#"{"type":"text","txt":{}}"#, "/txt"),
            (r#"{"type":"smoke"}"#, "/type"),
            (r#"{"type":7}"#, "/type"),
            ("{}", "/type: is required"),
            (r#"{"type":"text","text":{}}"#, "/text/body: is required"),
            (r#"{"type":"text","contact_id":"nobody"}"#, "/contact_id"),
            (
                r#"{"type":"template","template":{"name":"a","language":"it","parameters":[{"nam":1}]}}"#,
                "/template/parameters/0",
            ),
        ];
        for (body, place) in cases {
            let error = parse::<SendRequest>(body.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(place), "{body}: {error}");
        }
        let send = |seconds: &str| {
            let approval = format!(r#"{{"type":"text","approval":{{"within_seconds":{seconds}}}}}"#);
            parse::<SendRequest>(approval.as_bytes()).map(|send| send.approval.unwrap().within_seconds)
        };
        assert_eq!((send("60.0").unwrap(), send("6e1").unwrap()), (Some(60), Some(60)));
        for wrong in ["60.5", "-60.0", "1e300"] {
            assert!(send(wrong).unwrap_err().to_string().contains("/approval/within_seconds"), "{wrong}");
        }
        assert!(parse::<SendRequest>(b"{").unwrap_err().to_string().starts_with("unreadable"));
    }
}
