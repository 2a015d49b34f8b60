//! Query parameters whose errors name the parameter.

use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::{Ready, ready};
use protocol::time::TimestampMs;
use serde::de::DeserializeOwned;
use serde_urlencoded::Deserializer;

use super::body::place;
use super::problem::{ApiError, ApiResult};

/// The query of a request.
#[derive(Debug)]
pub(crate) struct Query<T>(T);

impl<T> Deref for Query<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Refuses a span that ends before it begins.
pub(crate) fn in_order(from: Option<TimestampMs>, to: Option<TimestampMs>) -> ApiResult<()> {
    match (from, to) {
        (Some(from), Some(to)) if from > to => Err(ApiError::field("?to", "must not be before `from`")),
        _ => Ok(()),
    }
}

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()).map(Self))
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> ApiResult<T> {
    let pairs = Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        let (pointer, detail) = place(error.path(), &error.inner().to_string());
        ApiError::malformed(format!("?{}", pointer.trim_start_matches('/')), detail)
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        #[allow(dead_code, reason = "only whether it can be read matters")]
        limit: u8,
    }

    #[test]
    fn errors_name_the_parameter() {
        assert!(parse::<Asked>("limit=7").is_ok());
        for (query, place) in
            [("limit=many", "?limit: "), ("limitt=7", "?limitt: "), ("", "?limit: is required")]
        {
            let error = parse::<Asked>(query).unwrap_err().to_string();
            assert!(error.contains(place), "{query}: {error}");
        }
    }
}
